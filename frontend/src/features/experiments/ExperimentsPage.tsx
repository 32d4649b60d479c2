// All experiments, the newest first, with what is going on in them.
import { Box, Button, Flex } from "@chakra-ui/react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Plus, SearchX } from "lucide-react";
import { useEffect, useRef } from "react";
import { Link, useNavigate } from "react-router";
import { Page } from "@/components/Page";
import { Empty, Loading, ProblemNotice } from "@/components/states";
import { t } from "@/i18n";
import { useHotkeys } from "@/lib/hotkeys";
import { ExperimentRow } from "./ExperimentRow";
import { Filters, usePutFilter } from "./Filters";
import { FirstSteps } from "./FirstSteps";
import { experimentsQuery, filterOf } from "./queries";
import { useDelete } from "./useActions";
import { useInView } from "./useInView";
import { useLive } from "./useLive";

/** Events tell of one's own runs at once; this finds those of others. */
const poll = 10_000;

/** To the link before or after the one that has the focus. */
function moveFocus(by: number): void {
  const links = [...document.querySelectorAll<HTMLElement>("[data-experiment]")];
  const at = links.indexOf(document.activeElement as HTMLElement);
  const next = links[at < 0 ? 0 : Math.max(0, Math.min(links.length - 1, at + by))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function More({
  query,
}: {
  query: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown };
}) {
  const [end, near] = useInView(false);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  useEffect(() => {
    if (near && hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [near, hasNextPage, isFetchingNextPage, fetchNextPage]);
  return (
    <Flex ref={end} justify="center" minH="12" align="center">
      {isFetchingNextPage ? (
        <Loading label={t("experiments.loadingMore")} />
      ) : (
        hasNextPage && (
          <Button size="sm" variant="outline" onClick={() => void fetchNextPage()}>
            {t("experiments.more")}
          </Button>
        )
      )}
    </Flex>
  );
}

function List({ filtered }: { filtered: boolean }) {
  const { search, clear } = usePutFilter();
  const query = useInfiniteQuery({
    ...experimentsQuery(filterOf(search)),
    placeholderData: (old) => old,
    refetchInterval: ({ state }) =>
      state.data?.pages.some((page) => page.items.some((one) => one.status === "running")) ? poll : false,
  });
  const experiments = query.data?.pages.flatMap((page) => page.items) ?? [];
  const latest = useLive(experiments);
  const { mutate: remove } = useDelete();
  if (query.error && !query.data) return <ProblemNotice error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <Loading />;
  if (!experiments.length && !filtered) return <FirstSteps />;
  if (!experiments.length)
    return (
      <Empty
        icon={<SearchX size={36} />}
        title={t("experiments.nothing")}
        action={
          <Button size="sm" variant="outline" onClick={clear}>
            {t("experiments.filter.clear")}
          </Button>
        }
      >
        {t("experiments.nothingHelp")}
      </Empty>
    );
  return (
    <>
      {query.error && <ProblemNotice error={query.error} retry={() => void query.refetch()} />}
      <Flex as="ul" direction="column" gap="2" aria-label={t("experiments.list")} aria-busy={query.isPlaceholderData}>
        {experiments.map((experiment) => (
          <ExperimentRow key={experiment.id} experiment={experiment} latest={latest[experiment.id]} onDelete={remove} />
        ))}
      </Flex>
      <More query={query} />
    </>
  );
}

export function Component() {
  const field = useRef<HTMLInputElement>(null);
  const navigate = useNavigate();
  const { search } = usePutFilter();
  useHotkeys([
    { keys: "n", label: t("experiments.keys.new"), run: () => void navigate("/experiments/new") },
    { keys: "/", label: t("experiments.keys.search"), run: () => field.current?.focus() },
    { keys: "ArrowDown", label: t("experiments.keys.next"), run: () => moveFocus(1) },
    { keys: "ArrowUp", label: t("experiments.keys.previous"), run: () => moveFocus(-1) },
  ]);
  return (
    <Page
      title={t("experiments.title")}
      actions={
        <Button asChild size="sm" h={{ base: "11", md: "9" }}>
          <Link to="/experiments/new" aria-label={t("experiments.newLabel")}>
            <Plus size={16} />
            {t("experiments.new")}
          </Link>
        </Button>
      }
    >
      <Filters field={field} />
      <Box>
        <List filtered={Object.keys(filterOf(search)).length > 0} />
      </Box>
    </Page>
  );
}
