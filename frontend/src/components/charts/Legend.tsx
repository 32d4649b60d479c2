// Which colour is which; a click hides and shows.
import { Box, Flex } from "@chakra-ui/react";

interface Item {
  key: string;
  label: string;
  colour: string;
}

interface Props {
  items: Item[];
  off: ReadonlySet<string>;
  onToggle: (key: string) => void;
}

export function Legend({ items, off, onToggle }: Props) {
  return (
    <Flex gap="1" wrap="wrap" mb="2">
      {items.map(({ key, label, colour }) => (
        <Flex
          key={key}
          as="button"
          aria-pressed={!off.has(key)}
          align="center"
          gap="2"
          px="2"
          minH={{ base: "9", md: "7" }}
          fontSize="xs"
          rounded="md"
          color={off.has(key) ? "fg.muted" : "fg"}
          textDecoration={off.has(key) ? "line-through" : undefined}
          _hover={{ bg: "bg.muted" }}
          onClick={() => onToggle(key)}
        >
          <Box w="4" h="1" rounded="full" bg={off.has(key) ? "bg.emphasized" : colour} aria-hidden />
          {label}
        </Flex>
      ))}
    </Flex>
  );
}
