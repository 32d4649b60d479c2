// By what cells are judged, how much may be lost, and what they are compared with.
import { SimpleGrid } from "@chakra-ui/react";
import { useSearchParams } from "react-router";
import type { Generation } from "@/api/client";
import { type Axis, axisName, hasSetting } from "@/features/experiment/coordinates";
import type { Analysis } from "@/features/experiment/queries";
import { NumberField, SelectField } from "@/features/recipe/fields";
import { t } from "@/i18n";
import { measures, TOLERANCE, withChoice } from "./choice";

interface Props {
  analysis: Analysis | undefined;
  cells: Generation[];
  axes: Axis[];
}

/** The API takes a picture as the reference and means its place on the axis: one picture for each value. */
function references({ analysis, cells, axes }: Props) {
  const name = typeof analysis?.reference?.axis === "string" ? analysis.reference.axis : undefined;
  const axis = axes.find((one) => one.name === name);
  if (!name || !axis) return undefined;
  const options = axis.values.flatMap(({ label, value }) => {
    const cell = cells.find((one) => one.status === "succeeded" && hasSetting(one, { [name]: value ?? label }));
    return cell ? [{ value: cell.id, label: `${axisName(name)} ${label}`, at: label }] : [];
  });
  const now = analysis?.reference?.value;
  return { options, chosen: options.find(({ at }) => at === String(now))?.value };
}

export function Chooser(props: Props) {
  const [search, setSearch] = useSearchParams();
  const set = (key: string, value: string | undefined) =>
    setSearch((old) => withChoice(old, key, value), { replace: true, preventScrollReset: true });
  const reference = references(props);
  const tolerance = search.get("tolerance");
  const wrong = tolerance !== null && !(Number(tolerance) >= 0 && Number(tolerance) <= 1);
  return (
    <SimpleGrid columns={{ base: 1, sm: 3 }} gap="3">
      <SelectField
        label={t("analysis.choose.measure")}
        value={search.get("measure") ?? undefined}
        none={t("analysis.choose.usual")}
        options={measures.map((measure) => ({ value: measure, label: t(`common.measure.${measure}`) }))}
        onChange={(value) => set("measure", value)}
      />
      <NumberField
        label={t("analysis.choose.tolerance")}
        value={tolerance === null ? undefined : Number(tolerance)}
        placeholder={String(TOLERANCE)}
        step={0.01}
        error={wrong ? t("analysis.choose.toleranceWrong") : undefined}
        onChange={(value) => set("tolerance", value === undefined || Number.isNaN(value) ? undefined : String(value))}
      />
      {reference && (
        <SelectField
          label={t("analysis.choose.reference")}
          value={search.get("reference") === null ? undefined : reference.chosen}
          none={t("analysis.choose.mostSteps")}
          options={reference.options}
          onChange={(value) => set("reference", value)}
        />
      )}
    </SimpleGrid>
  );
}
