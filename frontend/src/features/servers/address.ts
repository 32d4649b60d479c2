// Addresses of servers, as people type them, and asking one who it is.
export interface Answer {
  name: string;
  version: string;
}
export type Check = { kind: "cauldron"; answer: Answer } | { kind: "other" } | { kind: "silent" };

const scheme = /^[a-z][a-z0-9+.-]*:\/\//i;

/** The origin of "attic:8000", "http://attic:8000/gallery", ...; undefined when it is none. */
export function originOf(text: string, protocol: string = location.protocol): string | undefined {
  const trimmed = text.trim();
  if (!trimmed || /\s/.test(trimmed)) return undefined;
  try {
    const url = new URL(scheme.test(trimmed) ? trimmed : `${protocol}//${trimmed}`);
    return ["http:", "https:"].includes(url.protocol) && url.hostname ? url.origin : undefined;
  } catch {
    return undefined;
  }
}

/** What the browser forbids without asking anybody. */
export const isMixed = (origin: string, protocol: string = location.protocol): boolean =>
  protocol === "https:" && origin.startsWith("http:");

export async function checkServer(origin: string): Promise<Check> {
  let response: Response;
  try {
    response = await fetch(`${origin}/version`, {
      credentials: "omit",
      cache: "no-store",
      signal: AbortSignal.timeout(5000),
    });
  } catch {
    return { kind: "silent" };
  }
  const body: unknown = response.ok ? await response.json().catch(() => undefined) : undefined;
  if (typeof body !== "object" || body === null || !("version" in body) || !("name" in body)) return { kind: "other" };
  if (body.name !== "cauldron" || typeof body.version !== "string") return { kind: "other" };
  return { kind: "cauldron", answer: { name: new URL(origin).host, version: body.version } };
}
