// Above the wall: search, order, size of the tiles, filters. The search goes into the address when somebody pauses.
import { Box, Button, Flex, Input, useBreakpointValue } from "@chakra-ui/react";
import { SlidersHorizontal } from "lucide-react";
import { type RefObject, useEffect, useState } from "react";
import { Choice } from "@/components/fields";
import Sheet from "@/components/Sheet";
import { t } from "@/i18n";
import { useSettings } from "@/store/settings";
import { Chips } from "./Chips";
import { FilterFields } from "./FilterFields";
import { activeFilters, type Sort, sortOf, sorts } from "./filter";

const PAUSE = 300;

interface Props {
  search: URLSearchParams;
  onChange: (change: Record<string, string | undefined>) => void;
  field: RefObject<HTMLInputElement | null>;
}

function SearchField({ search, onChange, field }: Props) {
  const value = search.get("q") ?? "";
  const [typed, setTyped] = useState<{ from: string; text: string }>({ from: value, text: value });
  const text = typed.from === value ? typed.text : value;
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => onChange({ q: text.trim() || undefined }), PAUSE);
    return () => clearTimeout(timer);
  }, [text, value, onChange]);
  return (
    <Input
      ref={field}
      type="search"
      flex={{ base: "1 1 100%", md: "1 1 10rem" }}
      minW="0"
      size={{ base: "md", md: "sm" }}
      fontSize={{ base: "md", md: "sm" }}
      bg="bg.panel"
      aria-label={t("gallery.search")}
      placeholder={t("gallery.search")}
      maxLength={200}
      value={text}
      onChange={({ target }) => setTyped({ from: value, text: target.value })}
      onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
    />
  );
}

function TileSize() {
  const { tileSize, set } = useSettings();
  return (
    <Box
      asChild
      w={{ base: "14", md: "24" }}
      flex={{ base: "1", md: "none" }}
      minW="14"
      h="9"
      css={{ accentColor: "{colors.brand.600}" }}
    >
      <input
        type="range"
        min={88}
        max={360}
        step={8}
        value={tileSize}
        aria-label={t("gallery.tileSize")}
        title={t("gallery.tileSize")}
        onChange={({ target }) => set({ tileSize: Number(target.value) })}
      />
    </Box>
  );
}

function Filters({ search, onChange }: Omit<Props, "field">) {
  const [open, setOpen] = useState(false);
  const wide = useBreakpointValue({ base: false, md: true }, { ssr: false });
  const count = activeFilters(search).filter(([key]) => key !== "q").length;
  const fields = <FilterFields search={search} onChange={onChange} />;
  return (
    <>
      <Button
        size={{ base: "md", md: "sm" }}
        variant={open ? "subtle" : "outline"}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <SlidersHorizontal size={16} aria-hidden />
        {count ? t("gallery.filtersSet", { n: count }) : t("gallery.filters")}
      </Button>
      {wide && open && (
        <Box flexBasis="full" p="3" borderWidth="1px" rounded="md" bg="bg.panel">
          {fields}
        </Box>
      )}
      {!wide && (
        <Sheet title={t("gallery.filters")} open={open} onClose={() => setOpen(false)}>
          {fields}
        </Sheet>
      )}
    </>
  );
}

export function Toolbar({ search, onChange, field }: Props) {
  return (
    <Flex direction="column" gap="2">
      <Flex gap="2" wrap="wrap" align="center">
        <SearchField search={search} onChange={onChange} field={field} />
        <Choice<Sort>
          quiet
          size="sm"
          width="9rem"
          label={t("gallery.sortLabel")}
          value={sortOf(search)}
          options={sorts.map((one) => [one, t(`gallery.sort.${one}`)] as const)}
          onChange={(next) => onChange({ sort: next === "-created" ? undefined : next })}
        />
        <TileSize />
        <Filters search={search} onChange={onChange} />
      </Flex>
      <Chips search={search} onChange={onChange} />
    </Flex>
  );
}
