// What the server can draw with.
import { Box, Button, Code, Flex, Input } from "@chakra-ui/react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Boxes, RefreshCw } from "lucide-react";
import { useRef } from "react";
import { useSearchParams } from "react-router";
import { api, call, type Model } from "@/api/client";
import { useMe } from "@/api/me";
import { modelsQuery } from "@/api/queries";
import { CopyButton } from "@/components/CopyButton";
import { notify } from "@/components/notify";
import { Page } from "@/components/Page";
import { Empty, Loading, ProblemNotice } from "@/components/states";
import { t } from "@/i18n";
import { useHotkeys } from "@/lib/hotkeys";
import { ModelCard } from "./ModelCard";
import { ModelDrawer } from "./ModelDrawer";
import { matching } from "./models";
import { example, PullPanel } from "./PullForm";
import { Tasks } from "./Tasks";
import { useTasksLive } from "./useTasksLive";

function Refresh() {
  const client = useQueryClient();
  const { mayWrite } = useMe();
  const refresh = useMutation({
    mutationFn: () => call(api.POST("/api/v1/models/refresh")),
    onSuccess: (list) => {
      client.setQueryData(modelsQuery.queryKey, list);
      notify.done(t("models.refreshed", { n: list.items.length }));
    },
    onError: (error) => notify.error(error),
  });
  if (!mayWrite) return null;
  return (
    <Button
      size="sm"
      variant="outline"
      title={t("models.refreshHint")}
      loading={refresh.isPending}
      onClick={() => refresh.mutate()}
    >
      <RefreshCw size={16} aria-hidden />
      {t("models.refresh")}
    </Button>
  );
}

function NoModels() {
  const command = `cauldron models pull ${example}`;
  return (
    <Empty
      icon={<Boxes size={36} />}
      title={t("models.none")}
      action={
        <Flex gap="2" align="center" wrap="wrap" justify="center">
          <Code px="3" py="2">
            {command}
          </Code>
          <CopyButton text={command} />
        </Flex>
      }
    >
      {t("models.noneHelp")}
    </Empty>
  );
}

function Cards({ models, words, onOpen }: { models: Model[]; words: string; onOpen: (name: string) => void }) {
  if (!models.length) return words ? <Empty title={t("models.noneFiltered")} /> : <NoModels />;
  return (
    <Box
      as="ul"
      listStyleType="none"
      display="grid"
      gap="3"
      gridTemplateColumns="repeat(auto-fill, minmax(min(100%, 19rem), 1fr))"
    >
      {models.map((model) => (
        <ModelCard key={`${model.provider}/${model.name}`} model={model} onOpen={() => onOpen(model.name)} />
      ))}
    </Box>
  );
}

export function Component() {
  const { data, isPending, error, refetch } = useQuery(modelsQuery);
  const [search, setSearch] = useSearchParams();
  const field = useRef<HTMLInputElement>(null);
  useTasksLive();
  useHotkeys([{ keys: "/", label: t("common.keys.search"), run: () => field.current?.focus() }]);
  const set = (name: "q" | "model", value: string, replace: boolean) => {
    const next = new URLSearchParams(search);
    if (value) next.set(name, value);
    else next.delete(name);
    setSearch(next, { replace, preventScrollReset: true });
  };
  const models = data?.items ?? [];
  const words = search.get("q") ?? "";
  const shown = search.get("model");
  return (
    <Page title={t("models.title")} actions={<Refresh />}>
      <Flex direction="column" gap="4">
        {error && <ProblemNotice error={error} retry={() => void refetch()} />}
        {isPending && <Loading />}
        {models.length > 3 && (
          <Input
            ref={field}
            type="search"
            aria-label={t("models.search")}
            placeholder={t("models.search")}
            value={words}
            onChange={(event) => set("q", event.target.value, true)}
            maxW="md"
            fontSize={{ base: "md", md: "sm" }}
          />
        )}
        {data && <Cards models={matching(models, words)} words={words} onOpen={(name) => set("model", name, false)} />}
        <Tasks />
        <PullPanel />
      </Flex>
      <ModelDrawer
        name={shown}
        model={models.find((one) => one.name === shown)}
        onClose={() => set("model", "", true)}
      />
    </Page>
  );
}
