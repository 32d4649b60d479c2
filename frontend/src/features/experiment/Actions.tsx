// What can be done with the experiment: the likely next thing as a button, the rest in a menu.

import { Button, HStack, IconButton, Menu, Portal } from "@chakra-ui/react";
import { Ellipsis, Pause, Play, RotateCcw, Square } from "lucide-react";
import type { ReactNode } from "react";
import { useNavigate } from "react-router";
import type { Experiment } from "@/api/client";
import { useMe } from "@/api/me";
import { t } from "@/i18n";
import { useHotkeys } from "@/lib/hotkeys";
import { type Action, possible, useAct, useClone, useDelete } from "./useActions";

const icons: Record<Action, ReactNode> = {
  start: <Play size={16} />,
  pause: <Pause size={16} />,
  resume: <Play size={16} />,
  cancel: <Square size={16} />,
  retry: <RotateCcw size={16} />,
};

const label = (action: Action, experiment: Experiment): string =>
  action === "start" && experiment.run ? t("monitor.actions.again") : t(`monitor.actions.${action}`);

interface Props {
  experiment: Experiment;
  /** The run that is looked at; absent: the newest. */
  run: number | undefined;
  onExtend: () => void;
  onCompare: () => void;
}

export function Actions({ experiment, run, onExtend, onCompare }: Props) {
  const act = useAct(experiment.id);
  const { mayWrite: write } = useMe();
  const can = possible(experiment);
  const shown = (["start", "resume", "pause", "retry", "cancel"] as const).filter((action) => can.has(action));
  const swap = can.has("pause") ? "pause" : can.has("resume") ? "resume" : undefined;
  useHotkeys(
    swap && write
      ? [{ keys: " ", label: t(`monitor.actions.${swap}`), run: () => !act.isPending && act.mutate(swap) }]
      : [],
  );
  return (
    <HStack gap="2" flexShrink="0">
      {write &&
        shown.map((action, index) => (
          <Button
            key={action}
            size="sm"
            minH={{ base: "11", md: "9" }}
            variant={
              index === 0 && (action === "start" || action === "resume") && !experiment.run?.finished_at
                ? "solid"
                : "outline"
            }
            loading={act.isPending && act.variables === action}
            disabled={act.isPending}
            onClick={() => act.mutate(action)}
          >
            {icons[action]}
            {label(action, experiment)}
          </Button>
        ))}
      <More experiment={experiment} run={run} write={write} onExtend={onExtend} onCompare={onCompare} />
    </HStack>
  );
}

const formats = ["csv", "json", "png", "html"] as const;

function More({ experiment, run, write, onExtend, onCompare }: Props & { write: boolean }) {
  const navigate = useNavigate();
  const clone = useClone(experiment.id);
  const remove = useDelete(experiment);
  const busy = experiment.status === "running" || experiment.status === "paused";
  const chosen: Record<string, () => void> = {
    edit: () => navigate(`/experiments/${experiment.id}/edit`),
    clone: () => clone.mutate(),
    extend: onExtend,
    compare: onCompare,
    delete: () => remove.mutate(false),
    deleteAll: () => remove.mutate(true),
  };
  return (
    <Menu.Root positioning={{ placement: "bottom-end" }} onSelect={({ value }) => chosen[value]?.()}>
      <Menu.Trigger asChild>
        <IconButton
          size="sm"
          minH={{ base: "11", md: "9" }}
          minW={{ base: "11", md: "9" }}
          variant="outline"
          aria-label={t("monitor.actions.more")}
        >
          <Ellipsis size={16} />
        </IconButton>
      </Menu.Trigger>
      <Portal>
        <Menu.Positioner>
          <Menu.Content minW="56">
            {write && experiment.status === "draft" && <Menu.Item value="edit">{t("common.edit")}</Menu.Item>}
            {write && <Menu.Item value="clone">{t("monitor.actions.clone")}</Menu.Item>}
            {write && experiment.run && (
              <Menu.Item value="extend" disabled={busy}>
                {t("monitor.actions.extend")}
              </Menu.Item>
            )}
            {experiment.runs > 1 && <Menu.Item value="compare">{t("monitor.actions.compare")}</Menu.Item>}
            {experiment.run && <Menu.Separator />}
            {experiment.run &&
              formats.map((format) => (
                <Menu.Item key={format} value={format} asChild>
                  <a
                    href={`/api/v1/experiments/${experiment.id}/export?format=${format}${run ? `&run=${run}` : ""}`}
                    download
                  >
                    {t(`monitor.export.${format}`)}
                  </a>
                </Menu.Item>
              ))}
            {write && <Menu.Separator />}
            {write && (
              <Menu.Item value="delete" disabled={busy} color="fg.error">
                {t("monitor.actions.delete")}
              </Menu.Item>
            )}
            {write && experiment.run && (
              <Menu.Item value="deleteAll" disabled={busy} color="fg.error">
                {t("monitor.actions.deleteAll")}
              </Menu.Item>
            )}
          </Menu.Content>
        </Menu.Positioner>
      </Portal>
    </Menu.Root>
  );
}
