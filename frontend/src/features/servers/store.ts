// Servers that this browser remembers. Each server has its own address and so its own memory: the list is of this one.
import { create } from "zustand";
import { persist } from "zustand/middleware";
import type { Schemas } from "@/api/client";

export interface KnownServer {
  /** Its origin. */
  url: string;
  name: string;
  version?: string;
  /** When it last answered or was heard of. */
  seen?: string;
}

interface State {
  known: KnownServer[];
  remember: (server: KnownServer) => void;
  rename: (url: string, name: string) => void;
  forget: (url: string) => void;
}

/** A second time is news of the first: the name that the user gave stays. */
export function withServer(known: KnownServer[], server: KnownServer): KnownServer[] {
  const old = known.find((one) => one.url === server.url);
  if (!old) return [...known, server];
  return known.map((one) => (one === old ? { ...server, name: old.name } : one));
}

export const useServers = create<State>()(
  persist(
    (set) => ({
      known: [],
      remember: (server) => set(({ known }) => ({ known: withServer(known, server) })),
      rename: (url, name) =>
        set(({ known }) => ({ known: known.map((one) => (one.url === url ? { ...one, name } : one)) })),
      forget: (url) => set(({ known }) => ({ known: known.filter((one) => one.url !== url) })),
    }),
    { name: "cauldron-servers", version: 1 },
  ),
);

export interface Listed extends KnownServer {
  isKnown: boolean;
  isHeard: boolean;
}

const origin = (url: string): string => {
  try {
    return new URL(url).origin;
  } catch {
    return url;
  }
};

/** The remembered ones with what is heard of them now, then the others that are heard. */
export function listed(known: KnownServer[], heard: Schemas["DiscoveredServer"][]): Listed[] {
  const now = new Map(heard.map((one) => [origin(one.url), one]));
  const remembered = known.map((one): Listed => {
    const news = now.get(one.url);
    return {
      ...one,
      version: news?.version ?? one.version,
      seen: news?.seen_at ?? one.seen,
      isKnown: true,
      isHeard: news !== undefined,
    };
  });
  const others = [...now].flatMap(([url, one]): Listed[] =>
    known.some((old) => old.url === url)
      ? []
      : [
          {
            url,
            name: one.name,
            version: one.version ?? undefined,
            seen: one.seen_at ?? undefined,
            isKnown: false,
            isHeard: true,
          },
        ],
  );
  return [...remembered, ...others];
}
