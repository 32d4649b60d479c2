// What stands where: axes for rows, columns and tabs, sections, order, colour, and a value for each axis that is left.
import { IconButton } from "@chakra-ui/react";
import { ArrowDown, ArrowLeftRight, ArrowUp } from "lucide-react";
import type { ReactNode } from "react";
import { t } from "@/i18n";
import { type Axis, parameterTitle } from "./cube";
import { isMeasure, measures, measureTitle, plainFields, stateFields } from "./measures";
import { type Option, type OptionGroup, Pick } from "./Pick";
import { looseAxes, type Patch, type Role, transposed, type View, withRole } from "./view";

export interface ChooserProps {
  axes: readonly Axis[];
  view: View;
  change: (patch: Patch) => void;
  tall?: boolean;
}

const nothing = (): Option => ({ value: "", label: t("grid.none") });
const axisOptions = (axes: readonly Axis[]): Option[] =>
  axes.filter((axis) => axis.values.length > 1).map((axis) => ({ value: axis.name, label: axis.title }));
const measureGroup = (): OptionGroup => ({
  label: t("grid.ofMeasures"),
  options: measures.map((name) => ({ value: name, label: measureTitle(name) })),
});

function sortGroups(axes: readonly Axis[]): OptionGroup[] {
  const names = new Set([...axes.map((axis) => axis.name), ...plainFields]);
  const title = (name: string) => axes.find((axis) => axis.name === name)?.title ?? parameterTitle(name);
  return [
    { label: t("grid.ofParameters"), options: [...names].map((value) => ({ value, label: title(value) })) },
    measureGroup(),
    {
      label: t("grid.ofState"),
      options: stateFields.map((value) => ({ value, label: t(`grid.field.${value}`) })),
    },
  ];
}

function groupOptions(axes: readonly Axis[]): Option[] {
  const fields = ["sampler", "model", "steps"].filter((name) => !axes.some((axis) => axis.name === name));
  return [nothing(), ...axisOptions(axes), ...fields.map((value) => ({ value, label: parameterTitle(value) }))];
}

function RolePick({ part, axes, view, change, tall, children }: ChooserProps & { part: Role; children?: ReactNode }) {
  return (
    <Pick
      label={t(`grid.${part}`)}
      value={view[part] ?? ""}
      options={[nothing(), ...axisOptions(axes)]}
      onChange={(name) => change(withRole(view, part, name || undefined))}
      tall={tall}
    >
      {children}
    </Pick>
  );
}

function SortPick({ axes, view, change, tall }: ChooserProps) {
  const down = view.sort?.startsWith("-") ?? false;
  const field = view.sort?.replace(/^-/, "") ?? "";
  return (
    <Pick
      label={t("grid.sort")}
      value={field}
      options={[{ value: "", label: t("grid.sortGrid") }]}
      groups={sortGroups(axes)}
      onChange={(name) => change({ sort: name && (isMeasure(name) || name === "rating" ? `-${name}` : name) })}
      tall={tall}
    >
      {field && (
        <IconButton
          size={tall ? "md" : "xs"}
          variant="ghost"
          aria-label={t(down ? "grid.descending" : "grid.ascending")}
          title={t(down ? "grid.descending" : "grid.ascending")}
          onClick={() => change({ sort: down ? field : `-${field}` })}
        >
          {down ? <ArrowDown size={14} /> : <ArrowUp size={14} />}
        </IconButton>
      )}
    </Pick>
  );
}

function ColourPick({ view, change, tall }: ChooserProps) {
  return (
    <>
      <Pick
        label={t("grid.colour")}
        value={view.colour ?? ""}
        options={[nothing()]}
        groups={[measureGroup()]}
        onChange={(colour) => change({ colour })}
        tall={tall}
      />
      {view.colour && (
        <Pick
          label={t("grid.paint")}
          value={view.paint}
          options={[
            { value: "frame", label: t("grid.frame") },
            { value: "fill", label: t("grid.fill") },
          ]}
          onChange={(paint) => change({ paint: paint === "fill" ? paint : undefined })}
          tall={tall}
        />
      )}
    </>
  );
}

function LoosePick({ axis, view, change, tall }: Omit<ChooserProps, "axes"> & { axis: Axis }) {
  return (
    <Pick
      label={axis.title}
      value={String(view.at.get(axis.name) ?? 0)}
      options={[
        ...axis.values.map((one, i) => ({ value: String(i), label: one.label })),
        { value: "all", label: t("grid.allOf") },
      ]}
      onChange={(value) => change({ [`at.${axis.name}`]: value === "0" ? undefined : value })}
      tall={tall}
    />
  );
}

export function Choosers(props: ChooserProps) {
  const { axes, view, change, tall } = props;
  const varied = axes.some((axis) => axis.values.length > 1);
  return (
    <>
      {!view.sort && varied && (
        <>
          <RolePick part="rows" {...props}>
            <IconButton
              size={tall ? "md" : "xs"}
              variant="ghost"
              aria-label={t("grid.transpose")}
              title={t("grid.transpose")}
              onClick={() => change(transposed(view))}
            >
              <ArrowLeftRight size={14} />
            </IconButton>
          </RolePick>
          <RolePick part="cols" {...props} />
          <RolePick part="tabs" {...props} />
        </>
      )}
      <Pick
        label={t("grid.group")}
        value={view.group ?? ""}
        options={groupOptions(axes)}
        onChange={(group) => change({ group })}
        tall={tall}
      />
      <SortPick {...props} />
      <ColourPick {...props} />
    </>
  );
}

/** One chooser for each axis that is neither rows, columns nor tabs. */
export function LooseChoosers({ axes, view, change, tall }: ChooserProps) {
  if (view.sort) return null;
  return looseAxes(axes, view).map((axis) => (
    <LoosePick key={axis.name} axis={axis} view={view} change={change} tall={tall} />
  ));
}
