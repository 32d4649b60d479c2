// What the service worker keeps of the server for times without a connection. Shared by the worker and the settings.
export const apiCache = "cauldron-api";
export const pictureCache = "cauldron-pictures";

/** Entries at most; the oldest go first. 2,000 thumbnails are some 40 MB. */
export const limits: Record<string, number> = { [apiCache]: 400, [pictureCache]: 2000 };

const picture = /^\/api\/v1\/generations\/[^/]+\/(image|thumbnail)$/;
const read =
  /^\/api\/v1\/(me|models|samplers|schedules|tags|providers|hardware|generations|experiments|queue|jobs)(\/|$)|^\/version$/;
const page = /^\/(api|v1|sdapi|docs|socket\.io|openapi\.|healthz|readyz|metrics|version)/;

export type Kind = "picture" | "read" | "page" | "other";

/** How a request of the app is to be answered. Exports and ZIP files are never kept. */
export function kindOf(method: string, path: string, mode?: string): Kind {
  if (method !== "GET") return "other";
  if (picture.test(path)) return "picture";
  if (mode === "navigate") return page.test(path) ? "other" : "page";
  return read.test(path) && !/\/(export|zip)$/.test(path) ? "read" : "other";
}

export async function keptPictures(): Promise<number> {
  return "caches" in globalThis ? (await (await caches.open(pictureCache)).keys()).length : 0;
}

/** After a logout, or when somebody wants the space back. */
export async function forgetKept(): Promise<void> {
  if ("caches" in globalThis) await Promise.all([caches.delete(apiCache), caches.delete(pictureCache)]);
}
