// The name of an experiment as the heading of its page; a click or Enter on the pencil makes it an input.
import { Flex, Heading, IconButton, Input } from "@chakra-ui/react";
import { Pencil } from "lucide-react";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { t } from "@/i18n";

interface Props {
  name: string;
  /** Absent: it cannot be changed. */
  onChange?: (name: string) => void;
}

export function NameField({ name, onChange }: Props) {
  const [draft, setDraft] = useState<string>();
  const pencil = useRef<HTMLButtonElement>(null);
  const wasOpen = useRef(false);
  const open = draft !== undefined;
  useEffect(() => {
    if (wasOpen.current && !open) pencil.current?.focus();
    wasOpen.current = open;
  }, [open]);
  const save = (event?: FormEvent) => {
    event?.preventDefault();
    const wanted = draft?.trim();
    if (wanted && wanted !== name) onChange?.(wanted);
    setDraft(undefined);
  };
  if (open)
    return (
      <form onSubmit={save} style={{ flex: 1, minWidth: 0 }}>
        <Input
          autoFocus
          aria-label={t("monitor.name")}
          maxLength={200}
          fontSize="lg"
          fontWeight="semibold"
          value={draft}
          onFocus={({ target }) => target.select()}
          onChange={({ target }) => setDraft(target.value)}
          onKeyDown={({ key }) => key === "Escape" && setDraft(undefined)}
          onBlur={() => save()}
        />
      </form>
    );
  return (
    <Flex align="center" gap="1" flex="1 1 12rem" minW="0">
      <Heading as="h1" size="lg" fontWeight="semibold" minW="0" lineClamp="2" overflowWrap="anywhere">
        {name}
      </Heading>
      {onChange && (
        <IconButton
          ref={pencil}
          size="xs"
          variant="ghost"
          aria-label={t("monitor.rename")}
          onClick={() => setDraft(name)}
        >
          <Pencil size={14} />
        </IconButton>
      )}
    </Flex>
  );
}
