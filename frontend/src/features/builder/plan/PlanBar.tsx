// The plan on a phone: a bar at the foot with the essence, which opens into a sheet; the way to start is always there.
import { Box, Button, Flex, Text } from "@chakra-ui/react";
import { ChevronUp, Play } from "lucide-react";
import { useState } from "react";
import Sheet from "@/components/Sheet";
import { t } from "@/i18n";
import { usePlan } from "../plan";
import { PlanPanel, timeText } from "./PlanPanel";

interface Props {
  onStart: () => void;
  canStart: boolean;
  busy: boolean;
}

function Summary() {
  const { plan, problem } = usePlan();
  if (problem)
    return (
      <Text as="span" color="fg.error">
        {t("builder.plan.barProblems", { n: Math.max(1, problem.errors.length) })}
      </Text>
    );
  if (!plan) return <>{t("builder.plan.working")}</>;
  return <>{t("builder.plan.summary", { cells: plan.cells, draw: plan.to_draw, time: timeText(plan) })}</>;
}

export function PlanBar({ onStart, canStart, busy }: Props) {
  const [open, setOpen] = useState(false);
  return (
    <Flex
      hideFrom="lg"
      position="sticky"
      bottom={{ base: "calc(3.5rem + env(safe-area-inset-bottom))", md: "0" }}
      zIndex="docked"
      mx={{ base: "-3", md: "-5" }}
      mb={{ base: "-3", md: "-5" }}
      mt="4"
      p="2"
      gap="2"
      bg="bg.panel"
      borderTopWidth="1px"
    >
      <Button
        variant="ghost"
        flex="1"
        minW="0"
        h="11"
        px="2"
        justifyContent="start"
        textAlign="start"
        aria-haspopup="dialog"
        onClick={() => setOpen(true)}
      >
        <ChevronUp size={18} aria-hidden />
        <Box minW="0">
          <Text fontSize="xs" fontWeight="semibold">
            {t("builder.plan.title")}
          </Text>
          <Text fontSize="xs" color="fg.muted" fontWeight="normal" truncate aria-live="polite">
            <Summary />
          </Text>
        </Box>
      </Button>
      <Button h="11" px="5" disabled={!canStart} loading={busy} onClick={onStart}>
        <Play size={16} />
        {t("builder.actions.start")}
      </Button>
      <Sheet quiet title={t("builder.plan.title")} open={open} onClose={() => setOpen(false)}>
        <PlanPanel onGo={() => setOpen(false)} />
      </Sheet>
    </Flex>
  );
}
