// The filter of the list; it lives in the address.
import { Flex, Input, NativeSelect } from "@chakra-ui/react";
import { type RefObject, useEffect, useState } from "react";
import { useSearchParams } from "react-router";
import { t } from "@/i18n";
import { statuses, types } from "./queries";

const control = { size: { base: "md", md: "sm" }, fontSize: { base: "md", md: "sm" }, bg: "bg.panel" } as const;

export function usePutFilter() {
  const [search, setSearch] = useSearchParams();
  return {
    search,
    put: (name: string, value: string) =>
      setSearch(
        (old) => {
          const next = new URLSearchParams(old);
          if (value) next.set(name, value);
          else next.delete(name);
          return next;
        },
        { replace: true },
      ),
    clear: () => setSearch({}, { replace: true }),
  };
}

function Search({ field }: { field: RefObject<HTMLInputElement | null> }) {
  const { search, put } = usePutFilter();
  const there = search.get("q") ?? "";
  const [text, setText] = useState(there);
  const [seen, setSeen] = useState(there);
  // The back button, or "clear": what the address says wins over what was typed before.
  if (there !== seen) {
    setSeen(there);
    if (there !== text.trim()) setText(there);
  }
  useEffect(() => {
    if (text.trim() === there) return;
    const timer = setTimeout(() => put("q", text.trim()), 250);
    return () => clearTimeout(timer);
  });
  return (
    <Input
      ref={field}
      {...control}
      type="search"
      flex={{ base: "1 1 100%", md: "1 1 12rem" }}
      maxW={{ md: "80" }}
      aria-label={t("experiments.filter.search")}
      placeholder={t("experiments.filter.search")}
      maxLength={200}
      value={text}
      onChange={({ target }) => setText(target.value)}
      onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
    />
  );
}

interface ChoiceProps {
  name: "type" | "status";
  any: string;
  options: { value: string; label: string }[];
}

function Choice({ name, any, options }: ChoiceProps) {
  const { search, put } = usePutFilter();
  return (
    <NativeSelect.Root size={control.size} w="auto" flex={{ base: "1", md: "0 0 auto" }}>
      <NativeSelect.Field
        aria-label={t(`experiments.filter.${name}`)}
        fontSize={control.fontSize}
        bg={control.bg}
        value={search.get(name) ?? ""}
        onChange={({ target }) => put(name, target.value)}
      >
        <option value="">{any}</option>
        {options.map((one) => (
          <option key={one.value} value={one.value}>
            {one.label}
          </option>
        ))}
      </NativeSelect.Field>
      <NativeSelect.Indicator />
    </NativeSelect.Root>
  );
}

export function Filters({ field }: { field: RefObject<HTMLInputElement | null> }) {
  return (
    <Flex gap="2" wrap="wrap" role="search" aria-label={t("experiments.filter.label")} mb="3">
      <Search field={field} />
      <Choice
        name="type"
        any={t("experiments.filter.anyType")}
        options={types.map((value) => ({ value, label: t(`experiments.type.${value}`) }))}
      />
      <Choice
        name="status"
        any={t("experiments.filter.anyStatus")}
        options={statuses.map((value) => ({ value, label: t(`experiments.status.${value}`) }))}
      />
    </Flex>
  );
}
