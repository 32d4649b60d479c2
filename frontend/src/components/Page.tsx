// The frame of a page: its name, what can be done on it, its content.
import { Box, Flex, Heading } from "@chakra-ui/react";
import { type ReactNode, useEffect } from "react";
import { t } from "@/i18n";

interface Props {
  title: string;
  /** Buttons at the right of the title. */
  actions?: ReactNode;
  /** Uses all the width and height (grids); others are held to a readable width. */
  wide?: boolean;
  children: ReactNode;
}

export function Page({ title, actions, wide = false, children }: Props) {
  useEffect(() => {
    document.title = `${title} · ${t("common.app")}`;
  }, [title]);
  return (
    <Flex
      direction="column"
      gap="4"
      minH="full"
      w="full"
      maxW={wide ? undefined : "6xl"}
      mx="auto"
      p={{ base: "3", md: "5" }}
    >
      <Flex align="center" gap="3" wrap="wrap">
        <Heading as="h1" size="lg" fontWeight="semibold" flex="1" minW="0" truncate>
          {title}
        </Heading>
        {actions}
      </Flex>
      <Box flex="1" minH="0" minW="0">
        {children}
      </Box>
    </Flex>
  );
}
