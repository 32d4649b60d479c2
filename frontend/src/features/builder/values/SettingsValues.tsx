// Named settings: each point of the axis is a label and the parameters it sets.
import { Box, Button, Flex, IconButton, Input, Text } from "@chakra-ui/react";
import { Plus, X } from "lucide-react";
import { t } from "@/i18n";
import type { SimpleAxis } from "../spec/form";
import { type Item, readValues } from "../spec/values";
import { SetEditor } from "./SetEditor";

interface Props {
  axis: SimpleAxis;
  onChange: (change: { values: unknown }) => void;
  error?: string;
  inputId?: string;
}

export function SettingsValues({ axis, onChange, error, inputId }: Props) {
  const { items } = readValues(axis.values, "names");
  const edit = (index: number, item: Item) => onChange({ values: items.map((one, i) => (i === index ? item : one)) });
  const letter = String.fromCharCode(65 + (items.length % 26));
  return (
    <Flex direction="column" gap="2">
      {items.map((item, index) => (
        // The label is being edited; the place is what stays.
        // biome-ignore lint/suspicious/noArrayIndexKey: see above
        <Box key={index} p="2" borderWidth="1px" rounded="md">
          <Flex gap="2" mb="2">
            <Input
              size="sm"
              bg="bg.panel"
              data-focus={index === 0 ? inputId : undefined}
              aria-label={`${t("builder.values.label")} ${index + 1}`}
              value={item.label ?? ""}
              onChange={({ target }) => edit(index, { ...item, label: target.value })}
            />
            <IconButton
              size="sm"
              variant="ghost"
              aria-label={t("builder.values.remove", { value: item.label ?? String(index + 1) })}
              onClick={() => onChange({ values: items.filter((_, i) => i !== index) })}
            >
              <X size={16} />
            </IconButton>
          </Flex>
          <SetEditor value={item.set ?? {}} onChange={(set) => edit(index, { ...item, set })} />
        </Box>
      ))}
      {error && (
        <Text fontSize="xs" color="fg.error" role="alert">
          {error}
        </Text>
      )}
      <Button
        size="xs"
        variant="outline"
        alignSelf="start"
        onClick={() => onChange({ values: [...items, { label: letter, set: {} }] })}
      >
        <Plus size={14} />
        {t("builder.values.addButton")}
      </Button>
    </Flex>
  );
}
