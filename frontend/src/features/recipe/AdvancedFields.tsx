// What few need, folded away; open when one of it is set or wrong.
import { Box, SimpleGrid } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import type { Model } from "@/api/client";
import { schedulesQuery } from "@/api/queries";
import { t } from "@/i18n";
import type { DraftKey, RecipeDraft, SamplerInfo } from "./draft";
import { NumberField, SelectField } from "./fields";

const advanced = ["spacing", "eta", "rng", "clip_skip", "guidance_rescale"] as const;
const conditioning = [
  "original_width",
  "original_height",
  "crop_left",
  "crop_top",
  "target_width",
  "target_height",
] as const;

interface Props {
  model: Model | undefined;
  sampler: SamplerInfo | undefined;
  value: RecipeDraft;
  onChange: (change: RecipeDraft) => void;
  error: (field: DraftKey) => string | undefined;
  shows: (field: DraftKey) => boolean;
}

export function AdvancedFields({ model, sampler, value, onChange, error, shows }: Props) {
  const spacings = useQuery(schedulesQuery).data?.spacings ?? [];
  const fields: DraftKey[] = [...advanced, ...(model?.architecture === "sdxl" ? conditioning : [])];
  const shown = fields.filter(shows);
  if (!shown.length) return null;
  const forced = shown.some((field) => error(field) !== undefined);
  const set = shown.filter((field) => value[field] !== undefined).length;
  const select = (field: "spacing" | "rng", values: string[], none: string) =>
    shows(field) && (
      <SelectField
        label={t(`common.parameter.${field}`)}
        value={value[field]}
        none={none}
        options={values.map((one) => ({ value: one, label: one }))}
        error={error(field)}
        onChange={(next) => onChange({ [field]: next } as RecipeDraft)}
      />
    );
  const number = (field: Exclude<(typeof fields)[number], "prompt" | "seed">, step: number, help?: string) =>
    shows(field) && (
      <NumberField
        key={field}
        label={t(`common.parameter.${field}`)}
        value={value[field] as number | undefined}
        placeholder="0"
        step={step}
        help={help}
        error={error(field)}
        onChange={(next) => onChange({ [field]: next })}
      />
    );
  return (
    <Box asChild>
      <details open={forced || undefined}>
        <Box as="summary" cursor="pointer" fontSize="xs" fontWeight="medium" color="fg.muted" py="1.5">
          {set ? t("recipe.advancedSet", { n: set }) : t("recipe.advanced")}
        </Box>
        <SimpleGrid columns={2} gap="3" pt="1">
          {select(
            "spacing",
            spacings.filter((one) => one !== "model"),
            t("recipe.modelDefault"),
          )}
          {select("rng", ["cuda"], t("recipe.rngCpu"))}
          {number("eta", 0.1, sampler && !sampler.uses_eta ? t("recipe.etaIgnored") : undefined)}
          {number("clip_skip", 1)}
          {number("guidance_rescale", 0.1)}
          {model?.architecture === "sdxl" && conditioning.map((field) => number(field, 8))}
        </SimpleGrid>
      </details>
    </Box>
  );
}
