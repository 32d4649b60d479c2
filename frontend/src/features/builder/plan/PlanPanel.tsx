// What will happen: cells, pictures, time and disk, what cannot be drawn and why, what is to be mended, the grid to come.
import { Box, Button, Flex, Heading, Spinner, Text } from "@chakra-ui/react";
import { CircleAlert } from "lucide-react";
import type { Plan } from "@/api/client";
import { ProblemNotice } from "@/components/states";
import { formatBytes, formatSeconds, t } from "@/i18n";
import { focusOn } from "../focus";
import { usePlan } from "../plan";
import { fieldOf } from "../problems";
import { useForm, written } from "../store";
import { PlanPicture } from "./PlanPicture";

export function timeText(plan: Plan): string {
  if (plan.estimated_seconds === null) return t("builder.plan.timeUnknown");
  return formatSeconds(plan.estimated_seconds);
}

function Figure({ label, value, note }: { label: string; value: string; note?: string }) {
  return (
    <Flex justify="space-between" gap="4" py="1" borderBottomWidth="1px" borderColor="border.muted">
      <Text as="dt" color="fg.muted">
        {label}
      </Text>
      <Box as="dd" textAlign="end" fontVariantNumeric="tabular-nums" minW="0">
        {value}
        {note && (
          <Text fontSize="xs" color="fg.muted">
            {note}
          </Text>
        )}
      </Box>
    </Flex>
  );
}

function basisOf(plan: Plan): string | undefined {
  const basis = plan.estimate?.basis;
  return typeof basis === "string" ? basis : undefined;
}

function Figures({ plan }: { plan: Plan }) {
  const known = plan.estimated_seconds !== null;
  return (
    <Box as="dl" fontSize="sm">
      <Figure
        label={t("builder.plan.cells")}
        value={plan.cells.toLocaleString("en")}
        note={plan.pictures < plan.cells - plan.impossible ? t("builder.plan.equal", { n: plan.pictures }) : undefined}
      />
      <Figure label={t("builder.plan.existing")} value={plan.existing.toLocaleString("en")} />
      <Figure label={t("builder.plan.toDraw")} value={plan.to_draw.toLocaleString("en")} />
      {plan.impossible > 0 && (
        <Figure label={t("builder.plan.impossible")} value={plan.impossible.toLocaleString("en")} />
      )}
      {plan.dropped > 0 && <Figure label={t("builder.plan.dropped")} value={plan.dropped.toLocaleString("en")} />}
      <Figure label={t("builder.plan.loads")} value={plan.model_loads.toLocaleString("en")} />
      <Figure label={t("builder.plan.time")} value={timeText(plan)} note={known ? basisOf(plan) : undefined} />
      <Figure
        label={t("builder.plan.disk")}
        value={plan.estimated_bytes === null ? t("common.unknown") : formatBytes(plan.estimated_bytes)}
      />
    </Box>
  );
}

function Reasons({ title, reasons }: { title: string; reasons: Plan["impossible_reasons"] }) {
  if (!reasons?.length) return null;
  return (
    <Box>
      <Heading as="h3" size="xs" mb="1">
        {title}
      </Heading>
      <Box as="ul" ps="4" fontSize="xs" color="fg.muted" listStyleType="disc">
        {reasons.map(({ reason, cells }) => (
          <li key={reason}>{t("builder.plan.reasons", { n: cells, reason })}</li>
        ))}
      </Box>
    </Box>
  );
}

/** Each problem leads to its field. */
function Problems({ onGo }: { onGo?: () => void }) {
  const { problem, retry } = usePlan();
  const form = useForm();
  if (!problem) return null;
  if (!problem.errors.length)
    return <ProblemNotice error={problem} retry={problem.status === 422 ? undefined : retry} />;
  const { places } = written(form);
  const go = (pointer: string) => {
    onGo?.();
    setTimeout(() => focusOn(fieldOf(pointer, places)), onGo ? 350 : 0);
  };
  return (
    <Box role="status">
      <Flex align="center" gap="2" color="fg.error" mb="1">
        <CircleAlert size={16} aria-hidden />
        <Heading as="h3" size="xs">
          {t("builder.problem.title")}
        </Heading>
      </Flex>
      <Flex as="ul" direction="column" gap="1" listStyleType="none">
        {problem.errors.map(({ pointer, expected }) => (
          <li key={pointer + expected}>
            <Button
              size="xs"
              variant="ghost"
              h="auto"
              minH="6"
              py="1"
              px="2"
              w="full"
              justifyContent="start"
              textAlign="start"
              whiteSpace="normal"
              fontWeight="normal"
              onClick={() => go(pointer)}
            >
              <Box>
                <Text as="span" fontFamily="mono" color="fg.muted">
                  {pointer.slice(1) || t("builder.problem.whole")}
                </Text>{" "}
                {expected}
              </Box>
            </Button>
          </li>
        ))}
      </Flex>
    </Box>
  );
}

export function PlanPanel({ onGo }: { onGo?: () => void }) {
  const { plan, old, waiting, problem } = usePlan();
  return (
    <Flex direction="column" gap="4">
      <Flex align="center" gap="2" h="5">
        <Heading as="h2" size="sm" flex="1">
          {t("builder.plan.title")}
        </Heading>
        {waiting && <Spinner size="xs" aria-label={t("builder.plan.working")} />}
      </Flex>
      <Problems onGo={onGo} />
      {plan ? (
        <Flex direction="column" gap="4" filter={problem && old ? "grayscale(1)" : undefined}>
          {problem && old && (
            <Text fontSize="xs" color="fg.muted">
              {t("builder.plan.old")}
            </Text>
          )}
          <Figures plan={plan} />
          <Reasons title={t("builder.plan.impossible")} reasons={plan.impossible_reasons} />
          <Reasons title={t("builder.plan.dropped")} reasons={plan.dropped_reasons} />
          <PlanPicture plan={plan} />
        </Flex>
      ) : (
        <Text fontSize="sm" color="fg.muted">
          {t("builder.plan.nothing")}
        </Text>
      )}
    </Flex>
  );
}
