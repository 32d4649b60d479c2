// What the scores cannot say yet, and how many votes it would take.
import type { Schemas } from "@/api/client";
import { axisName } from "@/features/experiment/coordinates";
import { formatNumber, t } from "@/i18n";

type Axis = Schemas["Scores"]["axes"][number];
type Value = Axis["values"][number];

const halfWidth = ({ low, high }: Value): number | undefined =>
  low === null || high === null ? undefined : (high - low) / 2;

/** Votes until the two best can be told apart, if they stand as they do: intervals shrink with the root of the votes.
 *  0: they can be already; undefined: it cannot be said. */
export function votesNeeded(axis: Axis): number | undefined {
  const [first, second] = axis.values;
  if (!first || !second || first.strength === null || second.strength === null) return undefined;
  const wide = halfWidth(first);
  const other = halfWidth(second);
  const gap = first.strength - second.strength;
  if (wide === undefined || other === undefined || gap <= 0) return undefined;
  const factor = (wide ** 2 + other ** 2) / gap ** 2;
  return factor <= 1 ? 0 : Math.ceil(axis.votes * (factor - 1));
}

const MOST = 1000;

export function hint(axis: Axis): string {
  const name = axisName(axis.name);
  const [first, second] = axis.values;
  if (axis.votes === 0) return t("judge.hints.none", { axis: name });
  const unseen = axis.values.filter((value) => value.votes === 0);
  if (unseen.length)
    return t("judge.hints.unseen", {
      axis: name,
      n: unseen.length,
      values: unseen.map(({ label }) => label).join(", "),
    });
  const needed = votesNeeded(axis);
  if (needed === undefined || !first || !second) return t("judge.hints.few", { axis: name });
  if (needed === 0) return t("judge.hints.clear", { axis: name, best: first.label, second: second.label });
  if (needed > MOST) return t("judge.hints.equal", { best: first.label, second: second.label, n: MOST });
  return t("judge.hints.more", { n: needed, best: first.label, second: second.label });
}

export function scoreText(value: Value): string {
  if (value.strength === null) return t("judge.scores.unseen");
  const numbers = {
    strength: (value.strength > 0 ? "+" : "") + formatNumber(value.strength),
    low: value.low === null ? "–" : formatNumber(value.low),
    high: value.high === null ? "–" : formatNumber(value.high),
    rate: value.win_rate === null ? "–" : Math.round(100 * value.win_rate),
    n: value.votes,
  };
  return t("judge.scores.value", numbers);
}
