// The service worker's life, seen from a page: registered once, asked for news when the app comes back to the
// foreground; a waiting one takes over when the user says so.
import { create } from "zustand";

export const useWorker = create<{ registration?: ServiceWorkerRegistration; waiting: boolean }>(() => ({
  waiting: false,
}));

export function startServiceWorker(): void {
  if (!("serviceWorker" in navigator) || import.meta.env.DEV) return;
  addEventListener("load", async () => {
    const registration = await navigator.serviceWorker.register("/sw.js").catch(() => undefined);
    if (!registration) return;
    const look = () => useWorker.setState({ registration, waiting: registration.waiting !== null });
    look();
    registration.addEventListener("updatefound", () => {
      registration.installing?.addEventListener("statechange", () => navigator.serviceWorker.controller && look());
    });
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") void registration.update().catch(() => {});
    });
  });
}

/** The waiting version takes over; every open page of the app reloads once. */
export function updateNow(): void {
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
  useWorker.getState().registration?.waiting?.postMessage({ type: "skip-waiting" });
}
