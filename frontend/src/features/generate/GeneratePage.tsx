// Generate: a prompt becomes a picture. On a desk the form stands beside the picture; on a phone the picture is above
// the prompt, the parameters are in a sheet, and the button stays at the thumb.
import { Button, Flex, NativeSelect, useBreakpointValue } from "@chakra-ui/react";
import { SlidersHorizontal, WandSparkles } from "lucide-react";
import { lazy, Suspense, useCallback, useEffect, useRef, useState } from "react";
import { asProblem } from "@/api/client";
import { notify } from "@/components/notify";
import { Page } from "@/components/Page";
import { RecipeFields } from "@/features/recipe/RecipeFields";
import { t } from "@/i18n";
import { useHotkeys } from "@/lib/hotkeys";
import { DrawProblem } from "./DrawProblem";
import { DropTargets } from "./DropTargets";
import { useDraw } from "./draw";
import { fileOf, readPicture } from "./files";
import { History } from "./History";
import { PromptBox } from "./PromptBox";
import { RecoverBar } from "./RecoverBar";
import { Stage } from "./Stage";
import { PickFile, StartImage } from "./StartImage";
import { useStudio } from "./store";
import { useArrival, useShown } from "./useArrival";
import { useRecover } from "./useRecover";

// Opened by a tap: the first load goes without it.
const Sheet = lazy(() => import("@/components/Sheet"));
const counts = [1, 2, 3, 4, 6, 8, 9, 12, 16];

function CountField() {
  const { count, set } = useStudio();
  return (
    <NativeSelect.Root size={{ base: "lg", md: "md" }} w="20" flexShrink="0">
      <NativeSelect.Field
        aria-label={t("generate.count")}
        title={t("generate.count")}
        value={count}
        onChange={({ target }) => set({ count: Number(target.value) })}
      >
        {counts.map((one) => (
          <option key={one} value={one}>
            {`× ${one}`}
          </option>
        ))}
      </NativeSelect.Field>
      <NativeSelect.Indicator />
    </NativeSelect.Root>
  );
}

export function Component() {
  useArrival();
  const { draft, count, start, mask, set } = useStudio();
  const draw = useDraw();
  const recovering = useRecover();
  const area = useRef<HTMLTextAreaElement>(null);
  const [sheet, setSheet] = useState(false);
  const wide = useBreakpointValue({ base: false, md: true }, { ssr: false });
  const shown = useShown();
  const problem = draw.error ? asProblem(draw.error) : null;

  const submit = () => {
    if (!draft.prompt?.trim()) {
      area.current?.focus();
      notify.info(t("generate.writeFirst"));
      return;
    }
    if (!draw.isPending) draw.mutate({ draft, count, start, mask });
  };
  useHotkeys([
    { keys: "Mod+Enter", label: t("generate.draw"), always: true, run: submit },
    { keys: "p", label: t("generate.keyPrompt"), run: () => area.current?.focus() },
  ]);
  const takeStart = (file: File) => void readPicture(file).then((source) => set({ start: source }), notify.error);
  const takeExample = useCallback(
    (prompt: string) => {
      set({ draft: { ...useStudio.getState().draft, prompt } });
      area.current?.focus();
    },
    [set],
  );
  const takeRecipe = recovering.mutate;
  useEffect(() => {
    const paste = (event: ClipboardEvent) => {
      const file = fileOf(event.clipboardData);
      if (file) takeRecipe(file);
    };
    addEventListener("paste", paste);
    return () => removeEventListener("paste", paste);
  }, [takeRecipe]);

  const fields = (
    <Flex direction="column" gap="4">
      <RecipeFields value={draft} onChange={(next) => set({ draft: next })} problem={problem} lastSeed={shown?.seed} />
      <StartImage draft={draft} onChange={(next) => set({ draft: next })} error={(at) => problem?.at(at)} />
      <Flex gap="2" wrap="wrap">
        <PickFile label={t("generate.openPicture")} onFile={takeRecipe} />
        <Button
          size={{ base: "sm", md: "xs" }}
          variant="ghost"
          onClick={() => set({ draft: { prompt: draft.prompt } })}
        >
          {t("generate.reset")}
        </Button>
      </Flex>
    </Flex>
  );
  const drawButton = (
    <Button
      flex="1"
      size={{ base: "lg", md: "md" }}
      colorPalette="brand"
      loading={draw.isPending}
      title={t("generate.drawKeys")}
      onClick={submit}
    >
      <WandSparkles size={18} aria-hidden />
      {t("generate.draw")}
    </Button>
  );
  const said = (
    <>
      {problem && <DrawProblem problem={problem} onModel={draw.reset} />}
      <RecoverBar recovering={recovering} />
    </>
  );
  const prompt = <PromptBox area={area} error={problem?.at("/prompt")} />;
  const stage = <Stage onExample={takeExample} />;

  if (wide)
    return (
      <Page title={t("generate.title")} wide>
        <Flex gap="6" align="start">
          <Flex
            as="section"
            aria-label={t("generate.form")}
            direction="column"
            gap="3"
            w={{ md: "72", xl: "96" }}
            flexShrink="0"
          >
            {prompt}
            <Flex gap="2">
              {drawButton}
              <CountField />
            </Flex>
            {said}
            {fields}
          </Flex>
          <Flex direction="column" gap="4" flex="1" minW="0" position="sticky" top="5">
            {stage}
            <History />
          </Flex>
        </Flex>
        <DropTargets onRecipe={takeRecipe} onStart={takeStart} />
      </Page>
    );
  return (
    <Page title={t("generate.title")}>
      <Flex direction="column" gap="3" pb="20">
        {stage}
        {prompt}
        {said}
        <History />
      </Flex>
      <Flex
        position="fixed"
        insetInline="0"
        bottom="calc(3.5rem + env(safe-area-inset-bottom))"
        zIndex="docked"
        gap="2"
        p="2"
        bg="bg.panel"
        borderTopWidth="1px"
      >
        <Button size="lg" variant="outline" px="4" aria-label={t("generate.parameters")} onClick={() => setSheet(true)}>
          <SlidersHorizontal size={18} />
        </Button>
        {drawButton}
        <CountField />
      </Flex>
      {sheet && (
        <Suspense fallback={null}>
          <Sheet title={t("generate.parameters")} onClose={() => setSheet(false)}>
            {fields}
          </Sheet>
        </Suspense>
      )}
    </Page>
  );
}
