// People, their sessions and keys, and the record of who did what.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, call, type Schemas } from "@/api/client";
import { t } from "@/i18n";
import { en } from "@/i18n/en";

export type Role = Schemas["Role"];
export type Scope = Schemas["Scope"];
export type User = Schemas["User"];
export type ApiKey = Schemas["ApiKey"];
export type Session = Schemas["Session"];
export type AuditEvent = Schemas["Event"];

export const roles: readonly Role[] = ["viewer", "editor", "admin"];
export const scopes: readonly Scope[] = ["read", "write", "admin"];
/** A key may never do more than its owner. */
export const scopesOf: Record<Role, readonly Scope[]> = {
  viewer: ["read"],
  editor: ["read", "write"],
  admin: scopes,
};

export const sessionsQuery = queryOptions({
  queryKey: ["sessions"],
  queryFn: () => call(api.GET("/api/v1/sessions")),
});
export const keysQuery = queryOptions({ queryKey: ["api-keys"], queryFn: () => call(api.GET("/api/v1/api-keys")) });

export const usersQuery = infiniteQueryOptions({
  queryKey: ["users"],
  queryFn: ({ pageParam }) =>
    call(api.GET("/api/v1/users", { params: { query: { limit: 100, ...(pageParam ? { cursor: pageParam } : {}) } } })),
  initialPageParam: "",
  getNextPageParam: (last) => last.next_cursor ?? undefined,
});

export const eventsQuery = (kind: string) =>
  infiniteQueryOptions({
    queryKey: ["events", kind],
    queryFn: ({ pageParam }) =>
      call(
        api.GET("/api/v1/events", {
          params: { query: { limit: 50, ...(kind ? { kind } : {}), ...(pageParam ? { cursor: pageParam } : {}) } },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });

type KnownKind = keyof typeof en.people.kinds;
export const knownKinds = Object.keys(en.people.kinds) as KnownKind[];
const isKnown = (kind: string): kind is KnownKind => kind in en.people.kinds;
/** In words; a kind that a newer server writes is shown as it is. */
export const kindName = (kind: string): string =>
  isKnown(kind) ? t(`people.kinds.${kind}`) : kind.replaceAll("_", " ");

const browsers: [string, RegExp][] = [
  ["Edge", /\bEdg(e|A|iOS)?\//],
  ["Opera", /\bOPR\//],
  ["Firefox", /\b(Firefox|FxiOS)\//],
  ["Chromium", /\b(Chrome|Chromium|CriOS|HeadlessChrome)\//],
  ["Safari", /\bSafari\//],
];
const systems: [string, RegExp][] = [
  ["Android", /Android/],
  ["iOS", /iPhone|iPad/],
  ["Windows", /Windows/],
  ["macOS", /Macintosh|Mac OS X/],
  ["Linux", /Linux|X11/],
];
const find = (list: [string, RegExp][], agent: string) => list.find(([, pattern]) => pattern.test(agent))?.[0];

/** "Firefox on Linux" of a User-Agent, or its first word. */
export function agentName(agent: string | null | undefined): string {
  if (!agent) return t("people.unknownBrowser");
  const browser = find(browsers, agent);
  const system = find(systems, agent);
  if (browser && system) return t("people.browserOn", { browser, system });
  return browser ?? agent.split(/[\s/]/)[0] ?? agent;
}

export function keyState(key: ApiKey, now: number): "revoked" | "expired" | undefined {
  if (key.revoked_at) return "revoked";
  return key.expires_at && Date.parse(key.expires_at) <= now ? "expired" : undefined;
}

/** The end of the chosen day where the user is; undefined when that has passed or is no day. */
export function endOfDay(day: string, now: number): string | undefined {
  const end = new Date(`${day}T23:59:59`).getTime();
  return Number.isFinite(end) && end > now ? new Date(end).toISOString() : undefined;
}

export const inDays = (days: number, now: number): string => new Date(now + days * 86_400_000).toISOString();
