// What all pictures share: the form of a recipe, without what axes vary; or a picture whose parameters count.
import { Box, Button, Flex, Text } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { generationQuery } from "@/api/queries";
import { ProblemNotice } from "@/components/states";
import { Thumb } from "@/components/Thumb";
import { useDetail } from "@/features/detail/useDetail";
import { bodyOf, type DraftKey, draftKeys, draftOf, type RecipeDraft } from "@/features/recipe/draft";
import { RecipeFields } from "@/features/recipe/RecipeFields";
import { t } from "@/i18n";
import { usePlan } from "../plan";
import { varies } from "../spec/edits";
import type { Form } from "../spec/form";
import { useBuilder, useChange, useForm } from "../store";
import { parameterLabel } from "../words";
import { Section } from "./Section";

/** The base with these parameters; members that the form of a recipe does not know, and the prompt, stay. */
export function withRecipe(form: Form, draft: RecipeDraft): Form {
  const known: readonly string[] = draftKeys;
  const others = Object.entries(form.base).filter(([name]) => !known.includes(name) || name === "prompt");
  const { prompt: _, ...body } = bodyOf(draft);
  return { ...form, base: { ...Object.fromEntries(others), ...body } };
}

function FromPicture({ id }: { id: string }) {
  const change = useChange();
  const { open } = useDetail();
  const { data, error } = useQuery(generationQuery(id));
  const remove = (form: Form): Form => ({ ...form, baseGeneration: undefined });
  const copy = () => {
    if (!data) return;
    const found = draftOf(data.parameters);
    change((form) => {
      const prompt = found.prompt && !varies(form, "prompt") ? { prompt: found.prompt } : {};
      return remove({ ...form, base: { ...prompt, ...found, ...form.base } });
    });
  };
  return (
    <Flex gap="3" p="3" mb="3" borderWidth="1px" rounded="md" align="start">
      {data && (
        <Box
          as="button"
          boxSize="16"
          rounded="md"
          overflow="hidden"
          flexShrink="0"
          aria-label={t("builder.base.show")}
          onClick={() => open(id)}
        >
          <Thumb generation={data} size={64} alt="" />
        </Box>
      )}
      <Box flex="1" minW="0">
        <Text fontWeight="medium">{t("builder.base.from")}</Text>
        <Text fontSize="xs" color="fg.muted" mb="2">
          {t("builder.base.fromHelp")}
        </Text>
        {error && <ProblemNotice error={error} />}
        <Flex gap="2">
          <Button size="xs" variant="outline" disabled={!data} onClick={copy}>
            {t("builder.base.copy")}
          </Button>
          <Button size="xs" variant="ghost" onClick={() => change(remove)}>
            {t("builder.base.remove")}
          </Button>
        </Flex>
      </Box>
    </Flex>
  );
}

export function BaseSection() {
  const form = useForm();
  const change = useChange();
  const { problem } = usePlan();
  const touched = useBuilder((state) => state.touched);
  const varied = draftKeys.filter((name) => name !== "prompt" && varies(form, name));
  // The first seed stands with the replicates; one that was written here stays here.
  const hide: DraftKey[] = ["prompt", ...varied, ...(form.base.seed === undefined ? (["seed"] as const) : [])];
  return (
    <Section title={t("builder.base.title")} help={t("builder.base.help")}>
      {form.baseGeneration && <FromPicture id={form.baseGeneration} />}
      {varied.length > 0 && (
        <Text fontSize="xs" color="fg.muted" mb="2">
          {t("builder.base.varied", { names: varied.map(parameterLabel).join(", ") })}
        </Text>
      )}
      <RecipeFields
        value={form.base as RecipeDraft}
        onChange={(draft) => change((old) => withRecipe(old, draft), "base")}
        problem={touched ? problem : undefined}
        pointer="/base"
        hide={hide}
      />
    </Section>
  );
}
