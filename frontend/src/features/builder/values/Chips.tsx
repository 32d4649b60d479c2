// The values of an axis as chips: each can be taken away, or given a label and settings of its own.
import { Box, Button, Flex, IconButton, Input, Text } from "@chakra-ui/react";
import { Tag, X } from "lucide-react";
import { useState } from "react";
import { FieldFrame } from "@/features/recipe/fields";
import { t } from "@/i18n";
import { type Item, isRich, itemLabel } from "../spec/values";
import { SetEditor } from "./SetEditor";

const shown = 40;

interface Props {
  items: Item[];
  onRemove: (index: number) => void;
  onEdit: (index: number, item: Item) => void;
  /** Indexes that the server finds fault with. */
  wrong?: ReadonlySet<number>;
}

function Chip({ item, wrong, onOpen, onRemove, open }: ChipProps) {
  const label = itemLabel(item) || t("builder.values.empty");
  return (
    <Flex
      align="center"
      rounded="full"
      borderWidth="1px"
      borderColor={wrong ? "red.solid" : open ? "brand.solid" : "border"}
      bg={wrong ? "bg.panel" : "bg.subtle"}
      maxW="full"
      minW="0"
      h="7"
    >
      <Flex
        as="button"
        align="center"
        gap="1"
        h="full"
        minW="0"
        ps="3"
        pe="1"
        rounded="full"
        color={wrong ? "fg.error" : "fg"}
        aria-expanded={open}
        aria-label={t("builder.values.edit", { value: label })}
        title={label}
        onClick={onOpen}
      >
        <Text as="span" truncate maxW="52">
          {label}
        </Text>
        {isRich(item) && <Tag size={12} aria-hidden />}
      </Flex>
      <IconButton
        size="2xs"
        boxSize="6"
        minW="6"
        variant="ghost"
        rounded="full"
        aria-label={t("builder.values.remove", { value: label })}
        onClick={onRemove}
      >
        <X size={13} />
      </IconButton>
    </Flex>
  );
}
interface ChipProps {
  item: Item;
  wrong: boolean;
  open: boolean;
  onOpen: () => void;
  onRemove: () => void;
}

/** Without what was left empty, so that a plain value stays plain. */
function cleaned(item: Item): Item {
  const { label, set, ...rest } = item;
  return { ...rest, ...(label ? { label } : {}), ...(set && Object.keys(set).length ? { set } : {}) };
}

function ItemEditor({ item, onChange, onClose }: { item: Item; onChange: (item: Item) => void; onClose: () => void }) {
  return (
    <Box mt="2" p="3" borderWidth="1px" rounded="md" bg="bg.subtle">
      <FieldFrame label={t("builder.values.label")}>
        {(described) => (
          <Input
            {...described}
            size="sm"
            bg="bg.panel"
            value={item.label ?? ""}
            placeholder={t("builder.values.labelHelp")}
            onChange={({ target }) => onChange(cleaned({ ...item, label: target.value }))}
          />
        )}
      </FieldFrame>
      <Text fontSize="xs" fontWeight="medium" color="fg.muted" mt="2" mb="1">
        {t("builder.set.title")}
      </Text>
      <SetEditor value={item.set ?? {}} onChange={(set) => onChange(cleaned({ ...item, set }))} />
      <Button size="xs" variant="outline" mt="2" onClick={onClose}>
        {t("common.close")}
      </Button>
    </Box>
  );
}

export function Chips({ items, onRemove, onEdit, wrong }: Props) {
  const [open, setOpen] = useState<number>();
  const [all, setAll] = useState(false);
  const list = all ? items : items.slice(0, shown);
  const item = open === undefined ? undefined : items[open];
  if (!items.length) return null;
  return (
    <Box>
      <Flex as="ul" wrap="wrap" gap="1.5" listStyleType="none">
        {list.map((one, index) => (
          // Values may be equal; their place is all that tells them apart.
          // biome-ignore lint/suspicious/noArrayIndexKey: see above
          <Box as="li" key={`${index} ${itemLabel(one)}`} maxW="full" minW="0">
            <Chip
              item={one}
              wrong={wrong?.has(index) ?? false}
              open={open === index}
              onOpen={() => setOpen(open === index ? undefined : index)}
              onRemove={() => {
                setOpen(undefined);
                onRemove(index);
              }}
            />
          </Box>
        ))}
        {items.length > list.length && (
          <li>
            <Button size="xs" variant="ghost" onClick={() => setAll(true)}>
              {t("builder.values.more", { n: items.length - list.length })}
            </Button>
          </li>
        )}
      </Flex>
      {item && open !== undefined && (
        <ItemEditor item={item} onChange={(next) => onEdit(open, next)} onClose={() => setOpen(undefined)} />
      )}
    </Box>
  );
}
