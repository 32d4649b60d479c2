// What stands where content would be: nothing yet, waiting, an error. An error says what to do; an empty place
// teaches the next step.
import { Box, Button, Flex, Heading, Spinner, Text } from "@chakra-ui/react";
import { CircleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { asProblem } from "@/api/client";
import { t } from "@/i18n";

export function Loading({ label = t("common.loading") }: { label?: string }) {
  return (
    <Flex role="status" align="center" justify="center" gap="3" p="8" color="fg.muted">
      <Spinner size="sm" aria-hidden />
      <Text>{label}</Text>
    </Flex>
  );
}

interface EmptyProps {
  icon?: ReactNode;
  title: string;
  children?: ReactNode;
  /** Buttons or links to the next step. */
  action?: ReactNode;
}

export function Empty({ icon, title, children, action }: EmptyProps) {
  return (
    <Flex direction="column" align="center" textAlign="center" gap="3" py="12" px="4" maxW="md" mx="auto">
      {icon && (
        <Box color="fg.subtle" aria-hidden>
          {icon}
        </Box>
      )}
      <Heading as="h2" size="md">
        {title}
      </Heading>
      {children && <Text color="fg.muted">{children}</Text>}
      {action}
    </Flex>
  );
}

export function ProblemNotice({ error, retry, title }: { error: unknown; retry?: () => void; title?: string }) {
  const problem = asProblem(error);
  return (
    <Flex role="alert" gap="3" p="3" borderWidth="1px" borderColor="red.solid" rounded="md" bg="bg.panel" align="start">
      <Box color="fg.error" pt="0.5" aria-hidden>
        <CircleAlert size={18} />
      </Box>
      <Box flex="1" minW="0">
        <Text fontWeight="medium">{title ?? t("common.problem.title")}</Text>
        <Text color="fg.muted" overflowWrap="anywhere">
          {problem.message}
        </Text>
        {problem.errors.length > 0 && (
          <Box as="ul" ps="4" color="fg.muted" listStyleType="disc">
            {problem.errors.map((one) => (
              <li key={one.pointer + one.expected}>
                {one.pointer.slice(1)}: {one.expected}
              </li>
            ))}
          </Box>
        )}
        {problem.status >= 500 && problem.requestId && (
          <Text color="fg.muted" fontSize="xs">
            {t("common.problem.requestId", { id: problem.requestId })}
          </Text>
        )}
      </Box>
      {retry && (
        <Button size="xs" variant="outline" onClick={retry}>
          {t("common.retry")}
        </Button>
      )}
    </Flex>
  );
}
