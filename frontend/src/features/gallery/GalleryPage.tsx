// The gallery: all pictures as an endless wall, found by filters and words, chosen and worked on together.
import { Box, Button, Flex, Text } from "@chakra-ui/react";
import { ArrowUp, Images } from "lucide-react";
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Link, useSearchParams } from "react-router";
import { useMe } from "@/api/me";
import { notify } from "@/components/notify";
import { Page } from "@/components/Page";
import { Empty, Loading, ProblemNotice } from "@/components/states";
import { useDetail } from "@/features/detail/useDetail";
import { t } from "@/i18n";
import { useSettings } from "@/store/settings";
import { BatchBar, MOST_COMPARED } from "./BatchBar";
import { activeFilters, filterOf, withParameters } from "./filter";
import { selection, useSelection } from "./selection";
import { Toolbar } from "./Toolbar";
import { useGallery } from "./useGallery";
import { useGalleryKeys } from "./useGalleryKeys";
import { Wall } from "./Wall";

const CompareView = lazy(() => import("@/features/compare/CompareView"));

function useAddress() {
  const [search, setSearch] = useSearchParams();
  const change = useCallback(
    (parts: Record<string, string | undefined>) =>
      setSearch((old) => withParameters(old, parts), { replace: true, preventScrollReset: true }),
    [setSearch],
  );
  // What the address says besides (?view, ?compare) is no other question to the server.
  const asked = JSON.stringify(filterOf(search));
  const filter = useMemo(() => JSON.parse(asked) as ReturnType<typeof filterOf>, [asked]);
  return { search, change, filter };
}

function NothingHere({ filtered, onClear }: { filtered: boolean; onClear: () => void }) {
  if (filtered)
    return (
      <Empty
        icon={<Images size={40} />}
        title={t("gallery.noMatch")}
        action={
          <Button size="sm" onClick={onClear}>
            {t("gallery.clearFilters")}
          </Button>
        }
      >
        {t("gallery.noMatchHelp")}
      </Empty>
    );
  return (
    <Empty
      icon={<Images size={40} />}
      title={t("gallery.empty")}
      action={
        <Button asChild size="sm" colorPalette="brand">
          <Link to="/">{t("common.nav.generate")}</Link>
        </Button>
      }
    >
      {t("gallery.emptyHelp")}
    </Empty>
  );
}

export function Component() {
  const { search, change, filter } = useAddress();
  const { query, items, fresh, showFresh } = useGallery(filter);
  const detail = useDetail();
  const { me } = useMe();
  const mayWrite = me?.role !== "viewer";
  const tileSize = useSettings((settings) => settings.tileSize);
  const field = useRef<HTMLInputElement>(null);
  const [columns, setColumns] = useState(1);
  const chosenIds = useSelection((state) => state.chosen);
  const chosen = useMemo(() => items.filter((one) => chosenIds.has(one.id)), [items, chosenIds]);
  const compared = search.get("compare")?.split(",").filter(Boolean) ?? [];

  useEffect(() => selection.clear, []);
  const latest = useRef(items);
  useEffect(() => {
    latest.current = items;
  });
  const openDetail = detail.open;
  const open = useCallback(
    (id: string) =>
      openDetail(
        id,
        latest.current.map((one) => one.id),
      ),
    [openDetail],
  );
  const pick = useCallback(
    (id: string, how: "open" | "toggle" | "extend") => {
      if (how === "extend")
        selection.extend(
          latest.current.map((one) => one.id),
          id,
        );
      else if (how === "toggle" || useSelection.getState().chosen.size > 0) selection.toggle(id);
      else open(id);
    },
    [open],
  );
  const compare = () => {
    if (chosen.length < 2 || chosen.length > MOST_COMPARED) notify.info(t("gallery.compareHelp"));
    else change({ compare: chosen.map((one) => one.id).join() });
  };
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = query;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage && !isFetchNextPageError) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage]);
  const free = detail.view === null && compared.length === 0;
  useGalleryKeys({ items, columns, mayWrite, enabled: free, field, onOpen: open, onCompare: compare });

  // The picture that was looked at last keeps the keyboard when the detail view closes.
  const looked = useRef<string | null>(null);
  useEffect(() => {
    if (detail.view) looked.current = detail.view;
    else if (looked.current) {
      const id = looked.current;
      looked.current = null;
      requestAnimationFrame(() => selection.call(id));
    }
  }, [detail.view]);

  return (
    <Page title={t("gallery.title")} wide>
      <Flex direction="column" gap="3" pb={chosen.length ? "24" : "4"}>
        <Toolbar search={search} onChange={change} field={field} />
        {fresh > 0 && (
          <Button
            position="sticky"
            top="3"
            zIndex="sticky"
            alignSelf="center"
            size="sm"
            rounded="full"
            colorPalette="brand"
            onClick={showFresh}
          >
            <ArrowUp size={14} aria-hidden />
            {t("gallery.fresh", { n: fresh })}
          </Button>
        )}
        {query.isPending && <Loading />}
        {query.isError && !items.length && <ProblemNotice error={query.error} retry={() => void query.refetch()} />}
        {query.isSuccess && !items.length && (
          <NothingHere
            filtered={activeFilters(search).length > 0}
            onClear={() => change(Object.fromEntries(activeFilters(search).map(([key]) => [key, undefined])))}
          />
        )}
        {items.length > 0 && (
          <Wall
            items={items}
            tileSize={tileSize}
            label={t("gallery.wall")}
            onPick={pick}
            onFocus={selection.activate}
            onColumns={setColumns}
            onEnd={more}
          />
        )}
        {isFetchingNextPage && <Loading />}
        {isFetchNextPageError && <ProblemNotice error={query.error} retry={() => void fetchNextPage()} />}
        {items.length > 0 && !hasNextPage && (
          <Text color="fg.muted" fontSize="xs" textAlign="center">
            {t("gallery.end", { n: items.length })}
          </Text>
        )}
      </Flex>
      {chosen.length > 0 && free && (
        <BatchBar
          chosen={chosen}
          loaded={items.length}
          mayWrite={mayWrite}
          onAll={() => selection.all(items.map((one) => one.id))}
          onCompare={compare}
        />
      )}
      {compared.length > 0 && (
        <Suspense fallback={<Box position="fixed" inset="0" bg="bg" zIndex="modal" />}>
          <CompareView ids={compared} onClose={() => change({ compare: undefined })} />
        </Suspense>
      )}
    </Page>
  );
}
