// A part of a page under a heading of its own.
import { Box, Flex, Heading, Text } from "@chakra-ui/react";
import { type ReactNode, useId } from "react";

interface Props {
  title: string;
  hint?: ReactNode;
  actions?: ReactNode;
  id?: string;
  children?: ReactNode;
}

export function Panel({ title, hint, actions, id, children }: Props) {
  const heading = useId();
  return (
    <Box
      as="section"
      id={id}
      aria-labelledby={heading}
      p={{ base: "3", md: "4" }}
      borderWidth="1px"
      rounded="lg"
      bg="bg.panel"
      minW="0"
    >
      <Flex align="start" gap="2" wrap="wrap" mb={children ? "3" : "0"}>
        <Box flex="1" minW="40">
          <Heading as="h2" id={heading} size="sm">
            {title}
          </Heading>
          {hint && <Text color="fg.muted">{hint}</Text>}
        </Box>
        {actions}
      </Flex>
      {children}
    </Box>
  );
}
