// One experiment of the list: its name, state, progress and latest pictures. The name is the link; the row follows it.
import { Box, Flex, Heading, IconButton, Menu, Portal, Progress, Text } from "@chakra-ui/react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Copy, Download, Ellipsis, Eye, Pencil, Trash2 } from "lucide-react";
import { memo } from "react";
import { Link, useNavigate } from "react-router";
import type { Experiment, Run } from "@/api/client";
import { generationsQuery } from "@/api/queries";
import { Thumb } from "@/components/Thumb";
import { formatAgo, formatSeconds, t } from "@/i18n";
import { ended } from "./queries";
import { exportExperiment } from "./useActions";
import { useInView } from "./useInView";

const tile = 56;
const shown = 6;

function Strip({ experiment, latest }: { experiment: Experiment; latest?: string }) {
  const [box, near] = useInView(true);
  const running = experiment.status === "running";
  const { data } = useInfiniteQuery({
    ...generationsQuery({ experiment_id: experiment.id, status: "succeeded", limit: shown }),
    enabled: near && experiment.run !== null,
  });
  const pictures = data?.pages[0]?.items.slice(0, running && latest ? shown - 1 : shown) ?? [];
  return (
    <Flex
      ref={box}
      as="ul"
      gap="1"
      h={`${tile}px`}
      w={{ base: "full", md: `${shown * (tile + 4)}px` }}
      overflow="hidden"
      flexWrap="wrap"
      listStyleType="none"
      aria-label={t("experiments.pictures", { name: experiment.name })}
    >
      {running && latest && (
        <Box
          as="li"
          boxSize={`${tile}px`}
          rounded="sm"
          overflow="hidden"
          bg="bg.muted"
          outline="2px solid"
          outlineColor="brand.solid"
          outlineOffset="-2px"
        >
          <img src={`${latest}?size=128`} alt="" width={tile} height={tile} style={{ objectFit: "cover" }} />
        </Box>
      )}
      {pictures.map((generation) => (
        <Box as="li" key={generation.id} boxSize={`${tile}px`} rounded="sm" overflow="hidden" bg="bg.muted">
          <Thumb generation={generation} size={tile} />
        </Box>
      ))}
      {experiment.run && !pictures.length && !latest && data && (
        <Text as="li" fontSize="xs" color="fg.muted" alignSelf="center">
          {t("experiments.noPictures")}
        </Text>
      )}
    </Flex>
  );
}

function numbers(run: Run): string[] {
  const open = run.status === "running" || run.status === "paused";
  return [
    open ? t("experiments.progress", { done: ended(run), total: run.total }) : t("experiments.count", { n: run.total }),
    run.status === "running" && typeof run.eta_seconds === "number"
      ? t("experiments.left", { time: formatSeconds(run.eta_seconds) })
      : "",
    run.failed ? t("experiments.failedCells", { n: run.failed }) : "",
    run.impossible ? t("experiments.impossibleCells", { n: run.impossible }) : "",
  ];
}

function details({ run, runs, updated_at }: Experiment): string {
  const parts = [
    ...(run ? numbers(run) : [t("experiments.notStarted")]),
    runs > 1 ? t("experiments.runs", { n: runs }) : "",
    formatAgo(updated_at),
  ];
  return parts
    .filter(Boolean)
    .map((part) => `· ${part}`)
    .join(" ");
}

function Bar({ run, name }: { run: Run; name: string }) {
  if (run.status !== "running" && run.status !== "paused") return null;
  return (
    <Progress.Root value={ended(run)} max={Math.max(1, run.total)} size="xs" mt="2" colorPalette="brand">
      <Progress.Track aria-label={t("experiments.progressLabel", { name })}>
        <Progress.Range />
      </Progress.Track>
    </Progress.Root>
  );
}

const stateColour: Record<Experiment["status"], string> = {
  draft: "fg.muted",
  running: "brand.fg",
  paused: "orange.fg",
  completed: "green.fg",
  failed: "red.fg",
  cancelled: "fg.muted",
};

function Actions({ experiment, onDelete }: { experiment: Experiment; onDelete: (experiment: Experiment) => void }) {
  const navigate = useNavigate();
  const { id, name, status } = experiment;
  const items = [
    { value: "open", icon: Eye, run: () => navigate(`/experiments/${id}`) },
    ...(status === "draft"
      ? [{ value: "edit" as const, icon: Pencil, run: () => navigate(`/experiments/${id}/edit`) }]
      : []),
    { value: "clone", icon: Copy, run: () => navigate(`/experiments/new?clone=${id}`) },
    { value: "export", icon: Download, run: () => void exportExperiment(experiment) },
    { value: "delete", icon: Trash2, run: () => onDelete(experiment) },
  ] as const;
  return (
    <Menu.Root
      positioning={{ placement: "bottom-end" }}
      lazyMount
      unmountOnExit
      onSelect={({ value }) => items.find((one) => one.value === value)?.run()}
    >
      <Menu.Trigger asChild>
        <IconButton
          variant="ghost"
          size="sm"
          boxSize={{ base: "11", md: "9" }}
          position="relative"
          aria-label={t("experiments.actions.label", { name })}
        >
          <Ellipsis size={18} />
        </IconButton>
      </Menu.Trigger>
      <Portal>
        <Menu.Positioner>
          <Menu.Content minW="44">
            {items.map((item) => (
              <Menu.Item key={item.value} value={item.value} h={{ base: "11", md: "8" }}>
                <item.icon size={16} />
                {t(`experiments.actions.${item.value}`)}
              </Menu.Item>
            ))}
          </Menu.Content>
        </Menu.Positioner>
      </Portal>
    </Menu.Root>
  );
}

interface Props {
  experiment: Experiment;
  latest?: string;
  onDelete: (experiment: Experiment) => void;
}

export const ExperimentRow = memo(function ExperimentRow({ experiment, latest, onDelete }: Props) {
  const { id, name, type, status, run } = experiment;
  const address = status === "draft" ? `/experiments/${id}/edit` : `/experiments/${id}`;
  return (
    <Flex
      as="li"
      position="relative"
      direction={{ base: "column", md: "row" }}
      align={{ md: "center" }}
      gap="3"
      p="3"
      bg="bg.panel"
      borderWidth="1px"
      rounded="lg"
      listStyleType="none"
      _hover={{ borderColor: "border.emphasized" }}
      css={{ contentVisibility: "auto", containIntrinsicSize: "auto 82px" }}
    >
      <Box flex="1" minW="0" pe={{ base: "11", md: "0" }}>
        <Heading as="h2" size="sm" fontWeight="semibold" truncate>
          {/* The whole row is the target of the link. */}
          <Box asChild _before={{ content: '""', position: "absolute", inset: "0", rounded: "lg" }}>
            <Link to={address} data-experiment>
              {name}
            </Link>
          </Box>
        </Heading>
        <Text fontSize="xs" color="fg.muted">
          {t(`experiments.type.${type}`)} ·{" "}
          <Text as="span" color={stateColour[status]} fontWeight="medium">
            {t(`experiments.status.${status}`)}
          </Text>{" "}
          {details(experiment)}
        </Text>
        {run && <Bar run={run} name={name} />}
      </Box>
      {run && <Strip experiment={experiment} latest={latest} />}
      <Box position={{ base: "absolute", md: "static" }} top="1" insetInlineEnd="1">
        <Actions experiment={experiment} onDelete={onDelete} />
      </Box>
    </Flex>
  );
});
