// Messages from the server when an experiment ends, also while the app is closed (Push API, RFC 8030).
import { useCallback, useEffect, useState } from "react";
import { api, call } from "@/api/client";

export type PushState = "unsupported" | "denied" | "off" | "on";

/** base64url to bytes, as PushManager.subscribe wants the server's key. */
export function bytesOf(base64url: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64url.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

export const pushSupported = (): boolean =>
  "serviceWorker" in navigator && "PushManager" in globalThis && "Notification" in globalThis;

async function subscription(): Promise<PushSubscription | null> {
  const registration = await navigator.serviceWorker.getRegistration();
  return (await registration?.pushManager.getSubscription()) ?? null;
}

/** The server's record of this browser's subscription; telling it again renews it. */
async function tell(subscribed: PushSubscription): Promise<string> {
  const { endpoint, keys, expirationTime } = subscribed.toJSON();
  if (!endpoint || !keys?.p256dh || !keys.auth) throw new Error("the browser gave a subscription without keys");
  const made = await call(
    api.POST("/api/v1/push/subscriptions", {
      body: { endpoint, expirationTime, keys: { p256dh: keys.p256dh, auth: keys.auth } },
    }),
  );
  return made.id;
}

const sameBytes = (a: ArrayBuffer | null | undefined, b: Uint8Array): boolean =>
  a?.byteLength === b.length && new Uint8Array(a).every((byte, place) => byte === b[place]);

/** A subscription that was made with another key (another server, or the key has changed) is made anew. */
async function subscribe(): Promise<void> {
  const key = bytesOf((await call(api.GET("/api/v1/push"))).public_key);
  const { pushManager } = await navigator.serviceWorker.ready;
  const old = await pushManager.getSubscription();
  const kept = old && sameBytes(old.options.applicationServerKey, key);
  if (old && !kept) await old.unsubscribe();
  await tell(kept ? old : await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }));
}

export async function enablePush(): Promise<PushState> {
  if ((await Notification.requestPermission()) !== "granted") return "denied";
  await subscribe();
  return "on";
}

export async function disablePush(): Promise<PushState> {
  const subscribed = await subscription();
  if (subscribed) {
    const id = await tell(subscribed);
    await call(api.DELETE("/api/v1/push/subscriptions/{id}", { params: { path: { id } } }));
    await subscribed.unsubscribe();
  }
  return "off";
}

export async function testPush(): Promise<{ status: number; detail?: string | null }> {
  const subscribed = await subscription();
  if (!subscribed) throw new Error("this browser is not subscribed");
  const id = await tell(subscribed);
  return call(api.POST("/api/v1/push/subscriptions/{id}/test", { params: { path: { id } } }));
}

export function usePush() {
  const [state, setState] = useState<PushState>(() =>
    !pushSupported() ? "unsupported" : Notification.permission === "denied" ? "denied" : "off",
  );
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    let gone = false;
    if (pushSupported() && Notification.permission === "granted")
      void subscription().then((found) => {
        if (!gone) setState(found ? "on" : "off");
        // Without a connection it stays as it is until the next visit.
        if (found) void subscribe().catch(() => {});
      });
    return () => {
      gone = true;
    };
  }, []);
  const attempt = useCallback(async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    setBusy(true);
    setError(undefined);
    try {
      return await work();
    } catch (caught) {
      setError(caught);
      return undefined;
    } finally {
      setBusy(false);
    }
  }, []);
  const settle = useCallback((next: PushState | undefined) => next && setState(next), []);
  return {
    state,
    busy,
    error,
    enable: useCallback(async () => settle(await attempt(enablePush)), [attempt, settle]),
    disable: useCallback(async () => settle(await attempt(disablePush)), [attempt, settle]),
    test: useCallback(() => attempt(testPush), [attempt]),
  };
}
