// What a dry run found.
import { Badge, Box, Flex, Text } from "@chakra-ui/react";
import { Panel } from "@/components/Panel";
import { type MessageKey, t } from "@/i18n";
import { estimateText, type TaskCheck } from "./tasks";

function Parts({ parts }: Pick<TaskCheck, "parts">) {
  return (
    <Box as="ul" listStyleType="none" display="grid" gap="1">
      {parts.map(({ part, ok, detail }) => (
        <Flex as="li" key={part} gap="2" align="baseline">
          <Badge variant="outline" colorPalette={ok ? "green" : "red"}>
            {t(`tasks.part.${part}` as MessageKey)}: {t(ok ? "tasks.partOk" : "tasks.partBad")}
          </Badge>
          <Text color={ok ? "fg.muted" : "fg.error"} overflowWrap="anywhere" minW="0">
            {detail}
          </Text>
        </Flex>
      ))}
    </Box>
  );
}

function Problems({ problems }: Pick<TaskCheck, "problems">) {
  if (!problems.length) return null;
  return (
    <Box as="ul" ps="4" listStyleType="disc" color="fg.error">
      {problems.map(({ record_id, number, field, message }) => (
        <li key={`${number} ${field} ${message}`}>
          {t("tasks.recordProblem", { number, id: record_id ?? "", message })}
        </li>
      ))}
    </Box>
  );
}

export function CheckResult({ check }: { check: TaskCheck }) {
  const { records, works, drawn, duplicates, invalid, collisions, examples } = check;
  return (
    <Panel title={t("tasks.check")} hint={t(check.ok ? "tasks.checkOk" : "tasks.checkBad")}>
      <Flex direction="column" gap="3" role="status">
        <Parts parts={check.parts} />
        <Text>
          {t("tasks.checkCounts", { records, works, drawn, duplicates })}{" "}
          {!check.complete && t("tasks.checkMore", { n: records })} {estimateText(check)}
        </Text>
        {invalid + collisions > 0 && <Text color="fg.error">{t("tasks.checkBadCounts", { invalid, collisions })}</Text>}
        <Problems problems={check.problems} />
        <Box as="ul" listStyleType="none" fontSize="xs" color="fg.muted">
          {examples.map(({ record_id, object, prompt }) => (
            <Box as="li" key={object} overflowWrap="anywhere" title={prompt ?? undefined}>
              {t("tasks.exampleObject", { record: record_id, object })}
            </Box>
          ))}
        </Box>
      </Flex>
    </Panel>
  );
}
