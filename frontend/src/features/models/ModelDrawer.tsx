// Everything about one model (?model=name): at the side on a desk, from below on a phone.
import { Box, Button, CloseButton, Drawer, Flex, Portal, Text, useBreakpointValue } from "@chakra-ui/react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, call, type Model } from "@/api/client";
import { useMe } from "@/api/me";
import { modelsQuery } from "@/api/queries";
import { CopyButton } from "@/components/CopyButton";
import { Facts } from "@/components/Facts";
import { Panel } from "@/components/Panel";
import { Empty, ProblemNotice } from "@/components/states";
import { formatBytes, t } from "@/i18n";
import { Bar } from "./Bar";
import { Badges, nativeSize, UseLinks } from "./ModelCard";
import { defaultsOf, isRunning, progressText, samplersOf, showTask, tasksQuery, verify } from "./models";

function Digest({ model }: { model: Model }) {
  const client = useQueryClient();
  const compute = useMutation({
    mutationFn: () => call(api.GET("/api/v1/models/{name}/digest", { params: { path: { name: model.name } } })),
    onSuccess: ({ digest }) =>
      client.setQueryData(
        modelsQuery.queryKey,
        (list) =>
          list && { ...list, items: list.items.map((one) => (one.name === model.name ? { ...one, digest } : one)) },
      ),
  });
  const digest = compute.data?.digest ?? model.digest;
  return (
    <Panel
      title={t("models.digest")}
      hint={t("models.digestHint")}
      actions={
        digest ? (
          <CopyButton text={digest} />
        ) : (
          <Button size="xs" variant="outline" loading={compute.isPending} onClick={() => compute.mutate()}>
            {t("models.computeDigest")}
          </Button>
        )
      }
    >
      {digest && (
        <Text fontFamily="mono" fontSize="xs" overflowWrap="anywhere">
          {digest}
        </Text>
      )}
      {compute.isPending && <Text role="status">{t("models.computing")}</Text>}
      {compute.error && <ProblemNotice error={compute.error} />}
    </Panel>
  );
}

function Check({ model }: { model: Model }) {
  const client = useQueryClient();
  const { isAdmin } = useMe();
  const { data } = useQuery(tasksQuery);
  const task = data?.items.find((one) => one.kind === "verify" && one.model === model.name);
  const begin = useMutation({
    mutationFn: () => verify(model.name),
    onSuccess: (begun) => showTask(client, begun),
  });
  return (
    <Panel
      title={t("models.verify")}
      hint={isAdmin ? t("models.verifyHint") : t("models.adminOnly")}
      actions={
        isAdmin && (
          <Button
            size="xs"
            variant="outline"
            loading={begin.isPending || (task && isRunning(task))}
            onClick={() => begin.mutate()}
          >
            {t("models.verify")}
          </Button>
        )
      }
    >
      <Box role="status">
        {task && isRunning(task) && <Bar task={task} />}
        {task && (
          <Text color={task.status === "failed" ? "fg.error" : "fg.muted"} overflowWrap="anywhere">
            {t(`models.status.${task.status}`)} · {task.error?.message ?? task.detail ?? progressText(task)}
          </Text>
        )}
      </Box>
      {begin.error && <ProblemNotice error={begin.error} />}
    </Panel>
  );
}

const parameters = ["sampler", "schedule", "steps", "cfg_scale", "width", "height", "clip_skip", "eta"] as const;
function parameterName(name: string): string {
  const known = parameters.find((one) => one === name);
  return known ? t(`common.parameter.${known}`) : name;
}

function Details({ model }: { model: Model }) {
  const samplers = samplersOf(model);
  return (
    <Flex direction="column" gap="4">
      <Badges model={model} />
      {model.problem && <ProblemNotice error={new Error(model.problem)} title={t("models.problem")} />}
      <Flex gap="2" wrap="wrap">
        <UseLinks model={model} size="sm" />
      </Flex>
      <Facts
        items={[
          [t("models.provider"), model.provider],
          [t("models.architecture"), model.architecture],
          [
            t("models.format"),
            model.format === "folder" || model.format === "file" ? t(`models.formats.${model.format}`) : model.format,
          ],
          [t("models.size"), model.bytes == null ? undefined : formatBytes(model.bytes)],
          [t("models.nativeSize"), nativeSize(model)],
          [t("models.multiple"), model.multiple ? t("models.pixels", { n: model.multiple }) : undefined],
          [t("models.state"), model.loaded ? t("models.loaded") : t("models.notLoaded")],
        ]}
      />
      <Panel title={t("models.defaults")}>
        <Facts items={defaultsOf(model).map(([name, value]) => [parameterName(name), value])} />
      </Panel>
      {samplers.length > 0 && (
        <Panel title={t("models.samplers")}>
          <Text color="fg.muted">{samplers.join(", ")}</Text>
        </Panel>
      )}
      {!model.problem && <Digest model={model} />}
      <Check model={model} />
    </Flex>
  );
}

interface Props {
  name: string | null;
  model: Model | undefined;
  onClose: () => void;
}

export function ModelDrawer({ name, model, onClose }: Props) {
  const placement = useBreakpointValue({ base: "bottom", md: "end" } as const) ?? "end";
  return (
    <Drawer.Root
      open={name !== null}
      onOpenChange={({ open }) => !open && onClose()}
      placement={placement}
      size={{ base: "full", md: "md" }}
      lazyMount
      unmountOnExit
    >
      <Portal>
        <Drawer.Backdrop />
        <Drawer.Positioner>
          <Drawer.Content maxH={{ base: "92dvh", md: "full" }} roundedTop={{ base: "xl", md: "none" }}>
            <Drawer.Header>
              <Drawer.Title overflowWrap="anywhere" pe="8">
                {name}
              </Drawer.Title>
            </Drawer.Header>
            <Drawer.Body tabIndex={0}>
              {model ? <Details model={model} /> : <Empty title={t("models.noneFiltered")} />}
            </Drawer.Body>
            <Drawer.CloseTrigger asChild>
              <CloseButton aria-label={t("common.close")} />
            </Drawer.CloseTrigger>
          </Drawer.Content>
        </Drawer.Positioner>
      </Portal>
    </Drawer.Root>
  );
}
