// Where a login leads back to: a page of this app, whatever the address says.
export function targetOf(to: string | null): string {
  if (!to?.startsWith("/")) return "/";
  const url = new URL(to, "http://here.invalid");
  if (url.host !== "here.invalid" || url.pathname === "/login") return "/";
  return url.pathname + url.search + url.hash;
}
