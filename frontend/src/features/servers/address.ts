// Addresses of servers, as people type them.
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
