/// <reference lib="webworker" />
// The service worker: the app's own files from the cache; pictures that were seen, kept; what the API said last, for
// times when it cannot be asked; messages of the server shown as notifications.
import { cleanupOutdatedCaches, createHandlerBoundToURL, precacheAndRoute } from "workbox-precaching";
import { apiCache, kindOf, limits, pictureCache } from "./kept";

declare const self: ServiceWorkerGlobalScope;

precacheAndRoute(self.__WB_MANIFEST);
cleanupOutdatedCaches();
const shell = createHandlerBoundToURL("/index.html");

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("message", (event) => {
  if (event.data?.type === "skip-waiting") void self.skipWaiting();
});

/** Cache.keys() is in the order of insertion. Looked at once in twenty additions. */
let additions = 0;
async function keep(name: string, request: Request, response: Response): Promise<void> {
  const cache = await caches.open(name);
  await cache.put(request, response);
  if (++additions % 20) return;
  const keys = await cache.keys();
  await Promise.all(keys.slice(0, Math.max(0, keys.length - (limits[name] ?? 0))).map((old) => cache.delete(old)));
}

/** Pictures never change at their address. */
async function pictureOf(event: FetchEvent): Promise<Response> {
  const kept = await caches.match(event.request, { cacheName: pictureCache, ignoreVary: true });
  if (kept) return kept;
  const response = await fetch(event.request);
  if (response.status === 200) event.waitUntil(keep(pictureCache, event.request, response.clone()));
  return response;
}

async function readOf(event: FetchEvent): Promise<Response> {
  try {
    const response = await fetch(event.request);
    if (response.status === 200) event.waitUntil(keep(apiCache, event.request, response.clone()));
    return response;
  } catch (error) {
    const kept = await caches.match(event.request, { cacheName: apiCache, ignoreVary: true });
    if (kept) return kept;
    throw error;
  }
}

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (url.origin !== self.location.origin) return;
  const kind = kindOf(event.request.method, url.pathname, event.request.mode);
  if (kind === "picture" && !event.request.headers.has("Range")) event.respondWith(pictureOf(event));
  else if (kind === "read") event.respondWith(readOf(event));
  else if (kind === "page") event.respondWith(shell({ event, request: event.request, url }));
});

interface Message {
  title: string;
  body?: string;
  url?: string;
  tag?: string;
}

self.addEventListener("push", (event) => {
  const message: Message = event.data?.json() ?? { title: "Shadow Cauldron" };
  event.waitUntil(
    self.registration.showNotification(message.title, {
      body: message.body,
      tag: message.tag,
      icon: "/icon-192.png",
      badge: "/icon-192.png",
      data: { url: message.url ?? "/" },
    }),
  );
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const target = new URL(String(event.notification.data?.url ?? "/"), self.location.origin).href;
  event.waitUntil(
    self.clients.matchAll({ type: "window", includeUncontrolled: true }).then(async (windows) => {
      const open = windows[0];
      if (!open) return self.clients.openWindow(target);
      await open.focus();
      return open.navigate(target);
    }),
  );
});
