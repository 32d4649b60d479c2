// What filters the wall now, each with a way to take it off.
import { Box, Button, Flex } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { experimentNamesQuery } from "@/features/queue/jobs";
import { type MessageKey, t } from "@/i18n";
import { activeFilters, type FilterKey, filterKeys } from "./filter";

interface Props {
  search: URLSearchParams;
  onChange: (change: Record<string, string | undefined>) => void;
}

function said(key: FilterKey, value: string, experiment: string | undefined): string {
  switch (key) {
    case "q":
      return t("gallery.chip.q", { value });
    case "favourite":
      return t(value === "true" ? "gallery.favourites" : "gallery.chip.noFavourites");
    case "rating_min":
      return t("gallery.chip.rating", { value });
    case "status":
      return t(`common.status.${value}` as MessageKey);
    case "tag":
      return t("gallery.chip.tag", { value });
    case "created_after":
      return t("gallery.chip.after", { value });
    case "created_before":
      return t("gallery.chip.before", { value });
    case "experiment_id":
      return t("gallery.chip.experiment", { value: experiment ?? value.slice(0, 8) });
    default:
      return t("gallery.chip.parameter", { name: t(`common.parameter.${key}`), value });
  }
}

export function Chips({ search, onChange }: Props) {
  const active = activeFilters(search);
  const experiment = search.get("experiment_id");
  const names = useQuery({ ...experimentNamesQuery, enabled: experiment !== null, retry: false }).data;
  if (!active.length) return null;
  const name = names?.find((one) => one.id === experiment)?.name;
  return (
    <Flex as="ul" aria-label={t("gallery.filters")} wrap="wrap" gap="1.5" listStyleType="none">
      {active.map(([key, value]) => {
        const text = said(key, value, name);
        return (
          <li key={key}>
            <Button
              size="xs"
              h="7"
              rounded="full"
              variant="subtle"
              maxW="64"
              aria-label={t("gallery.removeFilter", { filter: text })}
              onClick={() => onChange({ [key]: undefined })}
            >
              <Box truncate>{text}</Box>
              <X size={12} aria-hidden />
            </Button>
          </li>
        );
      })}
      <li>
        <Button
          size="xs"
          h="7"
          variant="ghost"
          onClick={() => onChange(Object.fromEntries(filterKeys.map((key) => [key, undefined])))}
        >
          {t("gallery.clearFilters")}
        </Button>
      </li>
    </Flex>
  );
}
