// The jury's table for one experiment: pairs to judge, or the scores so far.
import { Box, Button, Checkbox, Flex, Popover, Portal, Stack, Text } from "@chakra-ui/react";
import { Scale, SlidersHorizontal } from "lucide-react";
import { useEffect } from "react";
import { Link, useSearchParams } from "react-router";
import type { Experiment } from "@/api/client";
import { useMe } from "@/api/me";
import { Empty, Loading, ProblemNotice } from "@/components/states";
import { axisName } from "@/features/experiment/coordinates";
import { useCells } from "@/features/experiment/useRun";
import { t } from "@/i18n";
import { judgedAxes } from "./axes";
import { Board } from "./Board";
import { Scores } from "./Scores";
import { useSeat } from "./store";
import { useDeck } from "./useDeck";

function useShow() {
  const [search, setSearch] = useSearchParams();
  const set = (key: string, value: string | undefined) =>
    setSearch(
      (old) => {
        const next = new URLSearchParams(old);
        if (value) next.set(key, value);
        else next.delete(key);
        return next;
      },
      { replace: true },
    );
  return { scores: search.get("show") === "scores", axes: search.get("axes") ?? "", set };
}

export function Jury({ experiment, run }: { experiment: Experiment; run?: number }) {
  const { scores, axes, set } = useShow();
  const sit = useSeat((seat) => seat.set);
  useEffect(() => sit({ last: experiment.id }), [sit, experiment.id]);
  if (!experiment.run)
    return (
      <Empty icon={<Scale size={40} />} title={t("judge.empty.title")}>
        {t("judge.empty.draft")}
      </Empty>
    );
  return (
    <Stack gap="3">
      <Flex gap="2" wrap="wrap" align="center">
        <Flex gap="1" role="group" aria-label={t("judge.show")}>
          {(["pairs", "scores"] as const).map((what) => (
            <Button
              key={what}
              size="sm"
              minH={{ base: "11", md: "8" }}
              variant={(what === "scores") === scores ? "subtle" : "ghost"}
              aria-pressed={(what === "scores") === scores}
              onClick={() => set("show", what === "scores" ? "scores" : undefined)}
            >
              {t(`judge.tabs.${what}`)}
            </Button>
          ))}
        </Flex>
        {!scores && (
          <Options experiment={experiment} run={run} chosen={axes} onChange={(value) => set("axes", value)} />
        )}
      </Flex>
      {scores ? (
        <Scores id={experiment.id} />
      ) : (
        <Pairs key={`${experiment.id} ${run} ${axes}`} experiment={experiment} run={run} axes={axes} />
      )}
    </Stack>
  );
}

interface OptionsProps {
  experiment: Experiment;
  run?: number;
  chosen: string;
  onChange: (axes: string | undefined) => void;
}

/** Which axes may differ, and whether labels are shown after a vote. */
function Options({ experiment, run, chosen, onChange }: OptionsProps) {
  const { axes } = useCells(experiment.id, run);
  const reveal = useSeat((seat) => seat.reveal);
  const set = useSeat((seat) => seat.set);
  const names = judgedAxes(axes, experiment.config);
  const on = new Set(chosen ? chosen.split(",") : names);
  const toggle = (name: string) => {
    const next = names.filter((one) => (one === name ? !on.has(one) : on.has(one)));
    if (next.length) onChange(next.length === names.length ? undefined : next.join(","));
  };
  return (
    <Popover.Root positioning={{ placement: "bottom-end" }} lazyMount>
      <Popover.Trigger asChild>
        <Button size="sm" variant="ghost" minH={{ base: "11", md: "8" }} ms="auto">
          <SlidersHorizontal size={16} />
          {t("judge.options")}
        </Button>
      </Popover.Trigger>
      <Portal>
        <Popover.Positioner>
          <Popover.Content w="auto" aria-label={t("judge.options")}>
            <Popover.Body>
              {names.length > 1 && (
                <Stack role="group" aria-label={t("judge.axes")} gap="1" mb="3">
                  <Text color="fg.muted" fontSize="xs">
                    {t("judge.axes")}
                  </Text>
                  {names.map((name) => (
                    <Tick key={name} label={axisName(name)} checked={on.has(name)} onChange={() => toggle(name)} />
                  ))}
                </Stack>
              )}
              <Tick label={t("judge.reveal")} checked={reveal} onChange={() => set({ reveal: !reveal })} />
            </Popover.Body>
          </Popover.Content>
        </Popover.Positioner>
      </Portal>
    </Popover.Root>
  );
}

function Tick({ label, checked, onChange }: { label: string; checked: boolean; onChange: () => void }) {
  return (
    <Checkbox.Root size="sm" minH={{ base: "9", md: "6" }} checked={checked} onCheckedChange={onChange}>
      <Checkbox.HiddenInput />
      <Checkbox.Control />
      <Checkbox.Label>{label}</Checkbox.Label>
    </Checkbox.Root>
  );
}

function Pairs({ experiment, run, axes }: { experiment: Experiment; run?: number; axes: string }) {
  const table = useDeck(experiment.id, run, axes);
  const { mayWrite } = useMe();
  const { deck, error, loading, again } = table;
  const pair = deck.pairs[0];
  return (
    <Stack gap="3">
      {error !== undefined && <ProblemNotice error={error} retry={again} />}
      {(pair || deck.judged > 0) && (
        <Text role="status" fontSize="xs" color="fg.muted" textAlign="center">
          {t("judge.count", { judged: deck.judged, n: deck.remaining })}
        </Text>
      )}
      {pair ? (
        <Board pair={pair} table={table} mayVote={mayWrite} />
      ) : loading ? (
        <Loading />
      ) : (
        error === undefined && (
          <Done experiment={experiment} judged={deck.judged} undo={deck.given.length ? table.undo : undefined} />
        )
      )}
    </Stack>
  );
}

function Done({ experiment, judged, undo }: { experiment: Experiment; judged: number; undo?: () => unknown }) {
  return (
    <Empty
      icon={<Scale size={40} />}
      title={t(judged ? "judge.done.title" : "judge.empty.title")}
      action={
        <Flex gap="2" wrap="wrap" justify="center">
          {judged > 0 && (
            <Button asChild minH="11">
              <Link to="?show=scores">{t("judge.done.scores")}</Link>
            </Button>
          )}
          {undo && (
            <Button minH="11" variant="outline" onClick={() => undo()}>
              {t("judge.undo")}
            </Button>
          )}
          <Button asChild minH="11" variant="outline">
            <Link to={`/experiments/${experiment.id}`}>{t("judge.done.experiment")}</Link>
          </Button>
        </Flex>
      }
    >
      <Box as="span">{t(judged ? "judge.done.help" : "judge.empty.pairs")}</Box>
    </Empty>
  );
}
