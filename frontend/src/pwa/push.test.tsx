import { act, renderHook, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Asked, problem, serve } from "@/test/render";
import { usePush } from "./push";

const key = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";

class FakeSubscription {
  gone = false;
  constructor(readonly options: { applicationServerKey: ArrayBuffer }) {}
  toJSON() {
    return { endpoint: "https://push.example.net/1", keys: { p256dh: "p", auth: "a" }, expirationTime: null };
  }
  async unsubscribe() {
    this.gone = true;
    current = null;
    return true;
  }
}

let current: FakeSubscription | null = null;
let permission: NotificationPermission = "default";

beforeEach(() => {
  current = null;
  permission = "default";
  const pushManager = {
    getSubscription: async () => current,
    subscribe: async ({ applicationServerKey }: { applicationServerKey: Uint8Array<ArrayBuffer> }) => {
      current = new FakeSubscription({ applicationServerKey: applicationServerKey.slice().buffer });
      return current;
    },
  };
  const registration = { pushManager };
  vi.stubGlobal("PushManager", class {});
  vi.stubGlobal("Notification", {
    get permission() {
      return permission;
    },
    requestPermission: async () => permission,
  });
  Object.defineProperty(navigator, "serviceWorker", {
    configurable: true,
    value: { ready: Promise.resolve(registration), getRegistration: async () => registration },
  });
});
afterEach(() => vi.unstubAllGlobals());

const server = (answers: Record<string, (asked: Asked) => unknown> = {}) =>
  serve({
    "GET /api/v1/push": () => ({ public_key: key }),
    "POST /api/v1/push/subscriptions": () => ({ id: "1" }),
    "POST /api/v1/push/subscriptions/:id/test": () => ({ status: 201 }),
    "DELETE /api/v1/push/subscriptions/:id": () => new Response(null, { status: 204 }),
    ...answers,
  });

test("subscribing tells the server what the browser gave, and ends on both sides", async () => {
  const { asked } = server();
  const { result } = renderHook(usePush);
  expect(result.current.state).toBe("off");
  permission = "granted";
  await act(result.current.enable);
  expect(result.current.state).toBe("on");
  expect(asked.at(-1)?.body).toEqual({
    endpoint: "https://push.example.net/1",
    expirationTime: null,
    keys: { p256dh: "p", auth: "a" },
  });
  expect(new Uint8Array(current?.options.applicationServerKey ?? new ArrayBuffer())).toHaveLength(65);
  expect(await act(result.current.test)).toEqual({ status: 201 });
  await act(result.current.disable);
  expect(result.current.state).toBe("off");
  expect(asked.at(-1)?.method).toBe("DELETE");
  expect(current).toBeNull();
});

test("a person who says no is asked no more", async () => {
  server();
  permission = "denied";
  const { result } = renderHook(usePush);
  expect(result.current.state).toBe("denied");
  await act(result.current.enable);
  expect(result.current.state).toBe("denied");
});

test("what the server refuses is said", async () => {
  server({ "POST /api/v1/push/subscriptions": () => problem(409, "conflict", "20 subscriptions are the most") });
  const { result } = renderHook(usePush);
  permission = "granted";
  await act(result.current.enable);
  expect(result.current.state).toBe("off");
  expect(String(result.current.error)).toContain("20 subscriptions");
  expect(await act(result.current.test)).toBeUndefined();
});

test("a subscription of another key is made anew", async () => {
  const { asked } = server();
  permission = "granted";
  const old = new FakeSubscription({ applicationServerKey: new ArrayBuffer(65) });
  current = old;
  const { result } = renderHook(usePush);
  await waitFor(() => expect(result.current.state).toBe("on"));
  await waitFor(() => expect(asked.some((one) => one.method === "POST")).toBe(true));
  expect(old.gone).toBe(true);
  expect(current).not.toBe(old);
});
