// Failures by their reasons, how long things took.
import { Box, Flex, Text } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import type { Schemas } from "@/api/client";
import { Facts } from "@/components/Facts";
import { Panel } from "@/components/Panel";
import { ProblemNotice } from "@/components/states";
import { formatNumber, formatSeconds, t } from "@/i18n";
import { money, reportQuery } from "./tasks";

type TaskReport = Schemas["TaskReport"];
const columns = ["p50", "p90", "p99", "max"] as const;
const rows = ["making", "storing", "total"] as const;

function Times({ seconds }: Pick<TaskReport, "seconds">) {
  if (seconds.total.p50 == null) return null;
  return (
    <Box overflowX="auto">
      <Box asChild w="full" maxW="2xl" fontVariantNumeric="tabular-nums">
        <table>
          <thead>
            <tr>
              <Box as="th" textAlign="start" fontWeight="medium" pe="4">
                {t("tasks.seconds")}
              </Box>
              {columns.map((one) => (
                <Box as="th" key={one} textAlign="end" fontWeight="medium" ps="4" whiteSpace="nowrap">
                  {t(`tasks.percentile.${one}`)}
                </Box>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row}>
                <Box as="th" textAlign="start" fontWeight="normal" color="fg.muted" pe="4">
                  {t(`tasks.times.${row}`)}
                </Box>
                {columns.map((one) => (
                  <Box as="td" key={one} textAlign="end" ps="4">
                    {seconds[row][one] == null ? "" : formatNumber(seconds[row][one])}
                  </Box>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Box>
    </Box>
  );
}

function Failures({ failures }: Pick<TaskReport, "failures">) {
  if (!failures.length) return null;
  return (
    <Box>
      <Text fontWeight="medium">{t("tasks.failures")}</Text>
      <Box as="ul" ps="4" listStyleType="disc">
        {failures.map((one) => (
          <Box as="li" key={`${one.class} ${one.code}`} overflowWrap="anywhere">
            {t(`tasks.class.${one.class}`)} ({one.code}), {t("tasks.failureCount", { n: one.count })}:{" "}
            <Text as="span" color="fg.muted">
              {one.example}
            </Text>
          </Box>
        ))}
      </Box>
    </Box>
  );
}

export function Report({ id }: { id: string }) {
  const { data, error, refetch } = useQuery(reportQuery(id));
  if (error) return <ProblemNotice error={error} title={t("tasks.report")} retry={() => void refetch()} />;
  if (!data) return null;
  return (
    <Panel title={t("tasks.report")}>
      <Flex direction="column" gap="4">
        <Facts
          items={[
            [t("tasks.elapsed"), data.seconds_elapsed == null ? "" : formatSeconds(data.seconds_elapsed)],
            [t("tasks.rateName"), data.per_second == null ? "" : formatNumber(data.per_second)],
            [t("tasks.costName"), data.cost == null ? "" : money(data.cost, data.currency)],
          ]}
        />
        <Failures failures={data.failures} />
        <Times seconds={data.seconds} />
      </Flex>
    </Panel>
  );
}
