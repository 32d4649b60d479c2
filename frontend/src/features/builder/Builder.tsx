// The builder around one store: form (or JSON) at the left, the plan at the right; on narrow screens the plan is a bar at
// the foot.
import { Box, Flex, Grid, Text } from "@chakra-ui/react";
import { FileUp } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { Page } from "@/components/Page";
import { t } from "@/i18n";
import { isTyping, useHotkeys } from "@/lib/hotkeys";
import { Actions } from "./Actions";
import { focusOn } from "./focus";
import { JsonView } from "./JsonView";
import { LeaveGuard } from "./LeaveGuard";
import { PlanContext, useLivePlan } from "./plan";
import { PlanBar } from "./plan/PlanBar";
import { PlanPanel } from "./plan/PlanPanel";
import { useSave } from "./save";
import { AxesSection } from "./sections/AxesSection";
import { BaseSection } from "./sections/BaseSection";
import { ConstraintsSection } from "./sections/ConstraintsSection";
import { AboutSection, LimitsSection, ReplicatesSection } from "./sections/MoreSections";
import { PromptsSection } from "./sections/PromptsSection";
import { TypeSection } from "./sections/TypeSection";
import { BuilderContext, type BuilderStore, isDirty, keepDraft, useBuilder } from "./store";
import { useImport } from "./useImport";

/** Undo of the form is for when no text field has its own. */
function useIsTyping(): boolean {
  const [typing, setTyping] = useState(false);
  useEffect(() => {
    const look = () => setTyping(isTyping(document.activeElement));
    const later = () => setTimeout(look);
    addEventListener("focusin", look);
    addEventListener("focusout", later);
    return () => {
      removeEventListener("focusin", look);
      removeEventListener("focusout", later);
    };
  }, []);
  return typing;
}

function useKept(store: BuilderStore, key: string): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const keep = () => keepDraft(key, store.getState());
    const stop = store.subscribe(() => {
      clearTimeout(timer);
      timer = setTimeout(keep, 300);
    });
    addEventListener("pagehide", keep);
    return () => {
      clearTimeout(timer);
      stop();
      removeEventListener("pagehide", keep);
      keep();
    };
  }, [store, key]);
}

function Form() {
  return (
    <Flex direction="column" gap="4" minW="0">
      <AboutSection />
      <TypeSection />
      <PromptsSection />
      <AxesSection />
      <BaseSection />
      <ReplicatesSection />
      <ConstraintsSection />
      <LimitsSection />
    </Flex>
  );
}

function DropHint() {
  return (
    <Flex
      position="fixed"
      inset="4"
      zIndex="overlay"
      align="center"
      justify="center"
      gap="3"
      bg="bg.panel"
      borderWidth="2px"
      borderStyle="dashed"
      borderColor="brand.solid"
      rounded="xl"
      pointerEvents="none"
      fontSize="lg"
    >
      <FileUp aria-hidden />
      {t("builder.actions.dropHere")}
    </Flex>
  );
}

interface Props {
  store: BuilderStore;
  /** Of a draft that the server has. */
  id?: string;
  draftKey: string;
  notice?: ReactNode;
}

function Inner({ store, id, draftKey, notice }: Props) {
  const [json, setJson] = useState(false);
  const live = useLivePlan();
  const { busy, save, start } = useSave(store, id, draftKey);
  const { over, drop, file } = useImport(store);
  const typing = useIsTyping();
  useKept(store, draftKey);
  const dirty = useBuilder(isDirty);
  const canStart = !live.problem && !!live.plan && !busy;
  const go = () => canStart && void start();
  const toggle = () => setJson((shown) => !shown);
  useHotkeys([
    { keys: "Mod+Enter", label: t("builder.keys.start"), run: go },
    { keys: "Mod+s", label: t("builder.keys.save"), run: () => void save() },
    { keys: "j", label: t("builder.keys.json"), run: toggle },
    { keys: "p", label: t("builder.keys.prompts"), run: () => void focusOn("prompts") },
    { keys: "a", label: t("builder.keys.axis"), run: () => void focusOn("add-axis") },
  ]);
  useHotkeys(
    [
      { keys: "Mod+z", label: t("builder.keys.undo"), run: () => store.getState().undo() },
      { keys: "Mod+Shift+z", label: t("builder.keys.redo"), run: () => store.getState().redo() },
    ],
    !typing,
  );
  return (
    <PlanContext value={live}>
      <Page
        wide
        title={t(id ? "builder.editTitle" : "builder.title")}
        actions={
          <Actions
            json={json}
            onJson={toggle}
            onFile={(chosen) => void file(chosen)}
            onSave={() => void save()}
            onStart={go}
            canStart={canStart}
            canSave={dirty || !id}
            busy={busy}
          />
        }
      >
        <Box {...drop} minH="full">
          {over && <DropHint />}
          {notice}
          <Grid
            templateColumns={{ base: "minmax(0, 1fr)", lg: "minmax(0, 1fr) 22rem", "2xl": "minmax(0, 1fr) 30rem" }}
            gap="5"
            maxW="110rem"
            mx="auto"
          >
            {json ? <JsonView /> : <Form />}
            <Box
              as="aside"
              hideBelow="lg"
              aria-label={t("builder.plan.title")}
              position="sticky"
              top="4"
              alignSelf="start"
              maxH="calc(100dvh - 2rem)"
              overflowY="auto"
              tabIndex={0}
              p="4"
              borderWidth="1px"
              rounded="lg"
              bg="bg.panel"
            >
              <PlanPanel />
            </Box>
          </Grid>
          <PlanBar onStart={go} canStart={canStart} busy={busy === "start"} />
        </Box>
      </Page>
      <LeaveGuard onSave={() => save(false)} />
    </PlanContext>
  );
}

export function Builder(props: Props) {
  return (
    <BuilderContext value={props.store}>
      <Inner {...props} />
    </BuilderContext>
  );
}

export function Notice({ children, action }: { children: ReactNode; action?: ReactNode }) {
  return (
    <Flex role="status" align="center" gap="3" mb="4" p="3" borderWidth="1px" rounded="md" bg="bg.panel" wrap="wrap">
      <Text flex="1 1 14rem">{children}</Text>
      {action}
    </Flex>
  );
}
