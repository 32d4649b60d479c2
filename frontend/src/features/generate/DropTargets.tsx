// While a file is dragged over the page: two places to drop it, because a picture can mean two things.
import { Box, Flex, Text } from "@chakra-ui/react";
import { FileSearch, ImageUp } from "lucide-react";
import { type ComponentType, useEffect, useState } from "react";
import { t } from "@/i18n";
import { fileOf } from "./files";

interface Props {
  onRecipe: (file: File) => void;
  onStart: (file: File) => void;
}

function Target({
  icon: Icon,
  label,
  onFile,
}: {
  icon: ComponentType<{ size?: number }>;
  label: string;
  onFile: (file: File) => void;
}) {
  const [over, setOver] = useState(false);
  return (
    <Flex
      flex="1"
      direction="column"
      align="center"
      justify="center"
      gap="3"
      rounded="xl"
      borderWidth="2px"
      borderStyle="dashed"
      borderColor={over ? "brand.solid" : "border.emphasized"}
      bg={over ? "brand.subtle" : "bg.panel"}
      onDragEnter={() => setOver(true)}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        const file = fileOf(event.dataTransfer);
        if (file) onFile(file);
      }}
    >
      <Box pointerEvents="none">
        <Icon size={40} />
      </Box>
      <Text fontWeight="semibold" pointerEvents="none">
        {label}
      </Text>
    </Flex>
  );
}

export function DropTargets({ onRecipe, onStart }: Props) {
  const [dragging, setDragging] = useState(false);
  useEffect(() => {
    const carries = (event: DragEvent) => event.dataTransfer?.types.includes("Files");
    const over = (event: DragEvent) => {
      if (!carries(event)) return;
      event.preventDefault();
      setDragging(true);
    };
    const leave = (event: DragEvent) => !event.relatedTarget && setDragging(false);
    const drop = (event: DragEvent) => {
      if (carries(event)) event.preventDefault();
      setDragging(false);
    };
    addEventListener("dragenter", over);
    addEventListener("dragover", over);
    addEventListener("dragleave", leave);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragenter", over);
      removeEventListener("dragover", over);
      removeEventListener("dragleave", leave);
      removeEventListener("drop", drop);
    };
  }, []);
  if (!dragging) return null;
  return (
    <Flex position="fixed" inset="0" zIndex="modal" bg="bg/90" p="6" gap="6" direction={{ base: "column", md: "row" }}>
      <Target icon={FileSearch} label={t("generate.dropRecipe")} onFile={onRecipe} />
      <Target icon={ImageUp} label={t("generate.dropStart")} onFile={onStart} />
    </Flex>
  );
}
