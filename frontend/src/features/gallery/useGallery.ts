// The pictures of a filter, page after page, and what is new among them: shown at once when the reader is at the top,
// else held back and announced, so that nothing moves under the eyes.
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { api, call, type Generation } from "@/api/client";
import { type GenerationFilter, generationsQuery } from "@/api/queries";
import { listen } from "@/api/socket";
import { newsOf, type Pages, updated, withFresh } from "./newest";

/** Of the top, in pixels: nearer counts as being there. */
const TOP = 80;
/** Between two looks for news. */
const PAUSE = 1500;

export function useGallery(filter: GenerationFilter) {
  const client = useQueryClient();
  const options = generationsQuery(filter);
  const query = useInfiniteQuery({ ...options, staleTime: Number.POSITIVE_INFINITY, refetchOnWindowFocus: false });
  const key = JSON.stringify(options.queryKey);
  const [held, setHeld] = useState<{ key: string; fresh: Generation[] }>({ key, fresh: [] });
  const fresh = useMemo(() => (held.key === key ? held.fresh : []), [held, key]);

  const look = useRef(async () => {});
  useEffect(() => {
    look.current = async () => {
      const before = client.getQueryData<Pages>(options.queryKey);
      if (!before) return;
      const page = await call(api.GET("/api/v1/generations", { params: { query: { limit: 100, ...filter } } }));
      const pages = client.getQueryData<Pages>(options.queryKey);
      if (!pages) return;
      const news = newsOf(pages, page.items);
      // Only the newest-first order grows at its top.
      if (filter.sort && filter.sort !== "-created") {
        client.setQueryData<Pages>(options.queryKey, updated(pages, page.items));
        return;
      }
      if (news.gap || pages.pages[0]?.items.length === 0) {
        if (news.fresh.length) await client.resetQueries({ queryKey: options.queryKey, exact: true });
        return;
      }
      const now = updated(pages, page.items);
      const top = window.scrollY < TOP;
      client.setQueryData<Pages>(options.queryKey, top ? withFresh(now, news.fresh) : now);
      setHeld({ key, fresh: top ? [] : news.fresh });
    };
  });

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let ended = false;
    const soon = () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        // Away: the connection's return, or the next event, asks again.
        if (!ended) void look.current().catch(() => {});
      }, PAUSE);
    };
    const visible = () => document.visibilityState === "visible" && soon();
    const stop = listen(["queue"], { "queue:changed": soon }, soon);
    document.addEventListener("visibilitychange", visible);
    void look.current().catch(() => {});
    return () => {
      ended = true;
      stop();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", visible);
    };
  }, []);

  const showFresh = useCallback(() => {
    client.setQueryData<Pages>(options.queryKey, (old) => old && withFresh(old, fresh));
    setHeld({ key, fresh: [] });
    window.scrollTo({ top: 0 });
  }, [client, options.queryKey, fresh, key]);

  // A cell that its model cannot draw is nobody's picture; who asks for such cells gets them.
  const items = useMemo(() => {
    const all = (query.data?.pages ?? []).flatMap((page) => page.items);
    return filter.status ? all : all.filter((one) => one.status !== "impossible");
  }, [query.data, filter.status]);
  return { query, items, fresh: fresh.length, showFresh };
}
