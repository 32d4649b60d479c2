// What the votes come to: a dot with its interval for every value of every axis.
import { Flex, Heading, NativeSelect, Stack, Text } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { Scale } from "lucide-react";
import { useSearchParams } from "react-router";
import type { Schemas } from "@/api/client";
import { DotPlot } from "@/components/charts/DotPlot";
import { Figure } from "@/components/charts/Figure";
import { Empty, Loading, ProblemNotice } from "@/components/states";
import { axisName } from "@/features/experiment/coordinates";
import { formatNumber, t } from "@/i18n";
import { hint, scoreText } from "./hints";
import { scoresQuery } from "./queries";

type Axis = Schemas["Scores"]["axes"][number];

export function Scores({ id }: { id: string }) {
  const [search, setSearch] = useSearchParams();
  const by = search.get("by") === "me" ? "me" : "all";
  const { data, error, refetch } = useQuery(scoresQuery(id, by));
  const choose = (whose: string) =>
    setSearch(
      (old) => {
        const next = new URLSearchParams(old);
        if (whose === "me") next.set("by", "me");
        else next.delete("by");
        return next;
      },
      { replace: true },
    );
  if (error) return <ProblemNotice error={error} retry={() => void refetch()} />;
  if (!data) return <Loading />;
  return (
    <Stack gap="4" maxW="5xl">
      <Flex gap="3" align="center" wrap="wrap">
        <Text flex="1" minW="48">
          {t("judge.scores.basis", { n: data.votes, judges: data.judges, skipped: data.skipped ?? 0 })}
        </Text>
        <NativeSelect.Root size="sm" w="auto">
          <NativeSelect.Field
            aria-label={t("judge.scores.whose")}
            value={by}
            onChange={({ target }) => choose(target.value)}
          >
            <option value="all">{t("judge.scores.all")}</option>
            <option value="me">{t("judge.scores.me")}</option>
          </NativeSelect.Field>
          <NativeSelect.Indicator />
        </NativeSelect.Root>
      </Flex>
      {data.votes === 0 ? (
        <Empty icon={<Scale size={40} />} title={t("judge.scores.none")}>
          {t("judge.scores.noneHelp")}
        </Empty>
      ) : (
        data.axes.map((axis) => <AxisScores key={axis.name} axis={axis} />)
      )}
    </Stack>
  );
}

function AxisScores({ axis }: { axis: Axis }) {
  const number = (value: number | null) => (value === null ? "–" : formatNumber(value));
  return (
    <Figure
      title={t("judge.scores.axis", { axis: axisName(axis.name) })}
      note={t("judge.scores.note", { n: axis.votes })}
      columns={[
        { key: "label", label: axisName(axis.name) },
        { key: "strength", label: t("judge.scores.strength"), numeric: true },
        { key: "interval", label: t("judge.scores.interval") },
        { key: "rate", label: t("judge.scores.rate"), numeric: true },
        { key: "wins", label: t("judge.scores.wins"), numeric: true },
        { key: "votes", label: t("judge.scores.votes"), numeric: true },
      ]}
      rows={axis.values.map((value) => ({
        label: value.label,
        strength: number(value.strength),
        interval: value.low === null || value.high === null ? "–" : `${number(value.low)} – ${number(value.high)}`,
        rate: value.win_rate === null ? "–" : `${Math.round(100 * value.win_rate)} %`,
        wins: `${value.wins} / ${value.losses} / ${value.ties}`,
        votes: String(value.votes),
      }))}
    >
      <DotPlot
        zero={0}
        rows={axis.values.map((value) => ({
          key: value.label,
          label: value.label,
          value: value.strength,
          low: value.low,
          high: value.high,
          text: scoreText(value),
        }))}
      />
      <Heading as="h3" size="xs" fontWeight="normal" mt="2">
        {hint(axis)}
      </Heading>
    </Figure>
  );
}
