// The parameters of a picture as a form. Only what differs from the model's defaults is in the draft; the defaults stand
// in the empty fields. Used by Generate and by the experiment builder:
//
//   <RecipeFields value={draft} onChange={setDraft} problem={error} pointer="/spec/base" hide={["seed"]} />
//
// The prompt itself is not here: every page has its own place for it.
import { Box, SimpleGrid, Text } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Problem } from "@/api/client";
import { modelsQuery, samplersQuery, schedulesQuery } from "@/api/queries";
import { ProblemNotice } from "@/components/states";
import { t } from "@/i18n";
import { AdvancedFields } from "./AdvancedFields";
import { changed, type DraftKey, defaultSampler, modelOf, type RecipeDraft, samplersFor, schedulesFor } from "./draft";
import { NumberField, SelectField, TextField } from "./fields";
import { SeedField } from "./SeedField";
import { SizeFields } from "./SizeFields";

interface Props {
  value: RecipeDraft;
  /** The whole draft after the change; illegal combinations are gone from it. */
  onChange: (draft: RecipeDraft) => void;
  /** Of the last request: its field errors are shown beside the fields. */
  problem?: Problem | null;
  /** Where the draft lies in that request's body. */
  pointer?: string;
  /** Fields that this form does without (those that are axes of an experiment). */
  hide?: readonly DraftKey[];
  /** Seed of the picture that is shown, for the lock. */
  lastSeed?: number | string;
}

const defaultNumber = (value: unknown, otherwise: string): string =>
  typeof value === "number" ? String(value) : otherwise;

export function RecipeFields({ value, onChange, problem, pointer = "", hide = [], lastSeed }: Props) {
  const modelsAnswer = useQuery(modelsQuery);
  const models = modelsAnswer.data?.items ?? [];
  const samplers = useQuery(samplersQuery).data?.items ?? [];
  const schedules = useQuery(schedulesQuery).data?.items ?? [];
  const [dropped, setDropped] = useState<("sampler" | "schedule")[]>([]);

  const model = modelOf(models, value);
  const sampler = samplers.find((one) => one.name === (value.sampler ?? defaultSampler(model)));
  const usual = samplers.find((one) => one.name === defaultSampler(model))?.label;
  const legal = schedulesFor(value, model, samplers);
  const shows = (field: DraftKey) => !hide.includes(field);
  const error = (field: DraftKey) => problem?.at(`${pointer}/${field}`);
  const missing = problem?.code === "model_not_found" ? problem.message : undefined;
  const change = (part: RecipeDraft) => {
    const next = changed(value, part, models, samplers);
    setDropped(next.dropped);
    onChange(next.draft);
  };

  return (
    <Box display="flex" flexDirection="column" gap="3">
      {modelsAnswer.isError && <ProblemNotice error={modelsAnswer.error} retry={() => void modelsAnswer.refetch()} />}
      {shows("model") && (
        <SelectField
          label={t("common.parameter.model")}
          value={value.model ?? model?.name}
          options={models.map((one) => ({
            value: one.name,
            label: one.problem ? t("recipe.modelBroken", { name: one.name }) : one.name,
            disabled: Boolean(one.problem),
          }))}
          error={error("model") ?? missing}
          onChange={(next) => change({ model: next })}
        />
      )}
      <SimpleGrid columns={2} gap="3">
        {shows("sampler") && (
          <SelectField
            label={t("common.parameter.sampler")}
            value={value.sampler}
            none={usual ? t("recipe.default", { value: usual }) : t("recipe.modelDefault")}
            options={samplersFor(model, samplers).map((one) => ({ value: one.name, label: one.label ?? one.name }))}
            error={error("sampler")}
            help={dropped.includes("sampler") ? t("recipe.samplerDropped") : undefined}
            onChange={(next) => change({ sampler: next })}
          />
        )}
        {shows("schedule") && (
          <SelectField
            label={t("common.parameter.schedule")}
            value={value.schedule}
            none={t("recipe.modelDefault")}
            options={schedules
              .filter((one) => one.name !== "model" && legal.includes(one.name))
              .map((one) => ({ value: one.name, label: one.label ?? one.name }))}
            error={error("schedule")}
            help={dropped.includes("schedule") ? t("recipe.scheduleDropped") : undefined}
            onChange={(next) => change({ schedule: next })}
          />
        )}
        {shows("steps") && (
          <NumberField
            label={t("common.parameter.steps")}
            value={value.steps}
            min={1}
            placeholder={defaultNumber(model?.defaults?.steps, "20")}
            error={error("steps")}
            onChange={(next) => change({ steps: next })}
          />
        )}
        {shows("cfg_scale") && (
          <NumberField
            label={t("common.parameter.cfg_scale")}
            value={value.cfg_scale}
            step={0.5}
            placeholder={defaultNumber(model?.defaults?.cfg_scale, "7.5")}
            error={error("cfg_scale")}
            onChange={(next) => change({ cfg_scale: next })}
          />
        )}
      </SimpleGrid>
      {sampler && (sampler.evaluations_per_step ?? 1) > 1 && shows("sampler") && (
        <Text fontSize="xs" color="fg.muted">
          {t("recipe.evaluations", { n: sampler.evaluations_per_step ?? 1 })}
        </Text>
      )}
      {shows("seed") && (
        <SeedField value={value.seed} last={lastSeed} error={error("seed")} onChange={(seed) => change({ seed })} />
      )}
      {shows("width") && shows("height") && <SizeFields model={model} value={value} error={error} onChange={change} />}
      {shows("negative_prompt") && (
        <TextField
          label={t("common.parameter.negative_prompt")}
          value={value.negative_prompt}
          placeholder={t("recipe.negativeHelp")}
          error={error("negative_prompt")}
          onChange={(next) => change({ negative_prompt: next || undefined })}
        />
      )}
      <AdvancedFields model={model} sampler={sampler} value={value} onChange={change} error={error} shows={shows} />
    </Box>
  );
}
