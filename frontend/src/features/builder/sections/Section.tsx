// A part of the form: its name, what can be said of it, its fields. `pointer`s of problems that have no field of their own
// are shown below the name.
import { Box, Flex, Heading, Text } from "@chakra-ui/react";
import { type ReactNode, useId } from "react";

interface Props {
  title: string;
  help?: string;
  aside?: ReactNode;
  problems?: string[];
  children: ReactNode;
}

export function Section({ title, help, aside, problems = [], children }: Props) {
  const id = useId();
  return (
    <Box as="section" aria-labelledby={id} bg="bg.panel" borderWidth="1px" rounded="lg" p={{ base: "3", md: "4" }}>
      <Flex align="baseline" gap="3" mb={help ? "0" : "3"}>
        <Heading as="h2" id={id} size="sm" flex="1">
          {title}
        </Heading>
        {aside}
      </Flex>
      {help && (
        <Text fontSize="xs" color="fg.muted" mb="3">
          {help}
        </Text>
      )}
      {problems.map((text) => (
        <Text key={text} fontSize="xs" color="fg.error" role="alert" mb="2">
          {text}
        </Text>
      ))}
      {children}
    </Box>
  );
}
