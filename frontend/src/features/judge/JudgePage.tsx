// Judging without a detour: choose an experiment (?experiment=...), or go on where one left.
import { Box, Button, Flex, Stack, Text } from "@chakra-ui/react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { ArrowLeft, FlaskConical } from "lucide-react";
import { Link, useSearchParams } from "react-router";
import { asProblem, type Experiment } from "@/api/client";
import { experimentQuery } from "@/api/queries";
import { Page } from "@/components/Page";
import { Empty, Loading, ProblemNotice } from "@/components/states";
import { formatAgo, t } from "@/i18n";
import { Jury } from "./Jury";
import { judgeableQuery } from "./queries";
import { useSeat } from "./store";

export function Component() {
  const [search] = useSearchParams();
  const id = search.get("experiment");
  return id ? <Chosen id={id} /> : <Choose />;
}

function Chosen({ id }: { id: string }) {
  const { data, error, refetch } = useQuery(experimentQuery(id));
  return (
    <Page
      title={data?.name ?? t("judge.title")}
      wide
      actions={
        <Button asChild size="sm" variant="ghost" minH={{ base: "11", md: "8" }}>
          <Link to="/judge">
            <ArrowLeft size={16} />
            {t("judge.others")}
          </Link>
        </Button>
      }
    >
      {error ? (
        <ProblemNotice error={error} retry={() => void refetch()} />
      ) : data ? (
        <Jury experiment={data} />
      ) : (
        <Loading />
      )}
    </Page>
  );
}

function Choose() {
  const query = useInfiniteQuery(judgeableQuery);
  const experiments = (query.data?.pages ?? [])
    .flatMap((page) => page.items)
    .filter((one) => one.run && one.run.completed > 1);
  return (
    <Page title={t("judge.title")}>
      <Stack gap="4">
        <Text color="fg.muted">{t("judge.intro")}</Text>
        <GoOn />
        {query.error && <ProblemNotice error={query.error} retry={() => void query.refetch()} />}
        {query.isPending && <Loading />}
        {query.data && !experiments.length && (
          <Empty
            icon={<FlaskConical size={40} />}
            title={t("judge.nothing.title")}
            action={
              <Button asChild>
                <Link to="/experiments/new">{t("judge.nothing.action")}</Link>
              </Button>
            }
          >
            {t("judge.nothing.help")}
          </Empty>
        )}
        {experiments.length > 0 && (
          <Box as="ul" listStyleType="none" borderWidth="1px" rounded="lg" bg="bg.panel" overflow="hidden">
            {experiments.map((experiment) => (
              <Row key={experiment.id} experiment={experiment} />
            ))}
          </Box>
        )}
        {query.hasNextPage && (
          <Button variant="outline" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {t("common.more")}
          </Button>
        )}
      </Stack>
    </Page>
  );
}

function Row({ experiment }: { experiment: Experiment }) {
  return (
    <Box as="li" borderBottomWidth="1px" _last={{ borderBottomWidth: 0 }}>
      <Flex asChild gap="3" px="4" py="3" minH="11" align="center" wrap="wrap" _hover={{ bg: "bg.muted" }}>
        <Link to={`/judge?experiment=${experiment.id}`}>
          <Text flex="1" minW="48" fontWeight="medium" overflowWrap="anywhere">
            {experiment.name}
          </Text>
          <Text fontSize="xs" color="fg.muted">
            {t("common.pictures", { n: experiment.run?.completed ?? 0 })}, {formatAgo(experiment.updated_at)}
          </Text>
        </Link>
      </Flex>
    </Box>
  );
}

/** The experiment that was judged last in this browser, while it exists. */
function GoOn() {
  const last = useSeat((seat) => seat.last);
  const set = useSeat((seat) => seat.set);
  const { data, error } = useQuery({ ...experimentQuery(last ?? ""), enabled: last !== undefined });
  if (!last || (error && asProblem(error).status === 404)) return null;
  return (
    <Flex
      gap="3"
      align="center"
      wrap="wrap"
      borderWidth="1px"
      borderColor="brand.emphasized"
      rounded="lg"
      bg="brand.subtle"
      p="4"
    >
      <Box flex="1" minW="48">
        <Text fontSize="xs" color="fg.muted">
          {t("judge.goOn.label")}
        </Text>
        <Text fontWeight="medium">{data?.name ?? "…"}</Text>
      </Box>
      <Button asChild minH="11">
        <Link to={`/judge?experiment=${last}`}>{t("judge.goOn.action")}</Link>
      </Button>
      <Button variant="ghost" minH="11" onClick={() => set({ last: undefined })}>
        {t("judge.goOn.forget")}
      </Button>
    </Flex>
  );
}
