import { Box, Flex, Text } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { CircleCheck, CircleX } from "lucide-react";
import { formatSeconds, t } from "@/i18n";
import { Asked } from "./Asked";
import { type Readiness, readyQuery } from "./health";

const names = ["database", "queue", "pictures", "models"] as const;

function nameOf(check: string): string {
  const known = names.find((one) => one === check);
  return known ? t(`system.check.${known}`) : check;
}

function Check({ check }: { check: Readiness["checks"][number] }) {
  return (
    <Flex as="li" gap="3" py="1.5" align="start">
      <Box color={check.ok ? "fg.success" : "fg.error"} pt="0.5" aria-hidden>
        {check.ok ? <CircleCheck size={18} /> : <CircleX size={18} />}
      </Box>
      <Box flex="1" minW="0">
        <Text>
          {nameOf(check.name)}: {t(check.ok ? "system.ok" : "system.broken")}
        </Text>
        {check.detail && (
          <Text color="fg.muted" overflowWrap="anywhere">
            {check.detail}
          </Text>
        )}
      </Box>
      {check.seconds !== undefined && (
        <Text color="fg.muted" fontSize="xs">
          {check.seconds < 0.001 ? t("system.instant") : formatSeconds(check.seconds)}
        </Text>
      )}
    </Flex>
  );
}

export function HealthPanel() {
  const query = useQuery(readyQuery);
  return (
    <Asked title={t("system.health")} query={query}>
      {({ status, checks }) => (
        <>
          <Text role="status" fontWeight="medium" color={status === "ok" ? "fg.success" : "fg.error"}>
            {t(status === "ok" ? "system.healthy" : "system.unhealthy")}
          </Text>
          <Box as="ul" listStyleType="none" mt="2">
            {checks.map((check) => (
              <Check key={check.name} check={check} />
            ))}
          </Box>
        </>
      )}
    </Asked>
  );
}
