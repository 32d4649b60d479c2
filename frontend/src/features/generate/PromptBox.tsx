// The prompt: the first and largest thing on the page. A text of A1111 that is pasted here becomes a recipe.
import { Box, Text, Textarea } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { type RefObject, useId } from "react";
import { samplersQuery, schedulesQuery } from "@/api/queries";
import { notify } from "@/components/notify";
import { t } from "@/i18n";
import { draftOfInfo, parseInfotext } from "./infotext";
import { useStudio } from "./store";

export function PromptBox({ area, error }: { area: RefObject<HTMLTextAreaElement | null>; error?: string }) {
  const id = useId();
  const { draft, set } = useStudio();
  const samplers = useQuery(samplersQuery).data?.items ?? [];
  const schedules = useQuery(schedulesQuery).data?.items ?? [];
  return (
    <Box>
      <Box asChild srOnly>
        <label htmlFor={id}>{t("common.parameter.prompt")}</label>
      </Box>
      <Textarea
        ref={area}
        id={id}
        fontSize="md"
        lineHeight="1.45"
        bg="bg.panel"
        rows={3}
        autoresize
        minH={{ base: "20", md: "28" }}
        maxH={{ base: "40", md: "72" }}
        value={draft.prompt ?? ""}
        placeholder={t("generate.promptPlaceholder")}
        aria-invalid={error ? true : undefined}
        aria-describedby={error ? `${id}-error` : undefined}
        onChange={({ target }) => set({ draft: { ...draft, prompt: target.value || undefined } })}
        onPaste={(event) => {
          const info = parseInfotext(event.clipboardData.getData("text/plain"));
          if (!info) return;
          event.preventDefault();
          set({ draft: draftOfInfo(info, samplers, schedules) });
          notify.done(t("generate.taken"));
        }}
      />
      {error && (
        <Text id={`${id}-error`} role="alert" fontSize="xs" color="fg.error">
          {error}
        </Text>
      )}
    </Box>
  );
}
