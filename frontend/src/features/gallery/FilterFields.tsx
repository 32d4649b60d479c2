// The filter as a form; each change is a change of the address.
import { Button, SimpleGrid } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { Heart } from "lucide-react";
import { useState } from "react";
import { modelsQuery, samplersQuery } from "@/api/queries";
import { Choice, TextField } from "@/components/fields";
import { useTagSuggestions } from "@/features/detail/TagEditor";
import { experimentNamesQuery } from "@/features/queue/jobs";
import { t } from "@/i18n";
import { statuses } from "./filter";

interface Props {
  search: URLSearchParams;
  onChange: (change: Record<string, string | undefined>) => void;
}

const any: readonly [string, string] = ["", "—"];

/** Numbers go into the address when they are finished: each would be a question to the server. */
function Finished(props: {
  label: string;
  type: string;
  value: string;
  step?: string;
  onDone: (value: string) => void;
}) {
  const { label, value, onDone, ...input } = props;
  const [typed, setTyped] = useState<{ from: string; text: string }>({ from: value, text: value });
  const text = typed.from === value ? typed.text : value;
  const done = () => text !== value && onDone(text);
  return (
    <TextField
      label={label}
      size="sm"
      {...input}
      min={input.type === "number" ? 0 : undefined}
      value={text}
      onChange={({ target }) => setTyped({ from: value, text: target.value })}
      onBlur={done}
      onKeyDown={(event) => event.key === "Enter" && done()}
    />
  );
}

export function FilterFields({ search, onChange }: Props) {
  const models = useQuery(modelsQuery).data?.items ?? [];
  const samplers = useQuery(samplersQuery).data?.items ?? [];
  const tags = useTagSuggestions("").data?.items ?? [];
  const experiments = useQuery({ ...experimentNamesQuery, retry: false }).data ?? [];
  const choice = (key: string, label: string, options: (readonly [string, string])[]) => {
    const value = search.get(key) ?? "";
    const known = options.some(([one]) => one === value) || value === "";
    return (
      <Choice
        size="sm"
        label={label}
        value={value}
        options={[any, ...(known ? [] : [[value, value] as const]), ...options]}
        onChange={(next) => onChange({ [key]: next })}
      />
    );
  };
  const typed = (key: string, label: string, type: string, step?: string) => (
    <Finished
      label={label}
      type={type}
      step={step}
      value={search.get(key) ?? ""}
      onDone={(value) => onChange({ [key]: value })}
    />
  );
  const favourite = search.get("favourite") === "true";
  return (
    <SimpleGrid columns={{ base: 2, md: 4, xl: 6 }} gap="3" alignItems="end">
      {choice(
        "model",
        t("common.parameter.model"),
        models.map((one) => [one.name, one.name] as const),
      )}
      {choice(
        "sampler",
        t("common.parameter.sampler"),
        samplers.map((one) => [one.name, one.label ?? one.name] as const),
      )}
      {typed("steps", t("common.parameter.steps"), "number")}
      {typed("cfg_scale", t("common.parameter.cfg_scale"), "number", "any")}
      {typed("seed", t("common.parameter.seed"), "text")}
      {choice(
        "status",
        t("gallery.status"),
        statuses.map((one) => [one, t(`common.status.${one}`)] as const),
      )}
      {choice(
        "rating_min",
        t("gallery.ratingMin"),
        [1, 2, 3, 4, 5].map((n) => [String(n), t("gallery.stars", { n })] as const),
      )}
      {choice(
        "tag",
        t("gallery.tag"),
        tags.map((one) => [one.tag, `${one.tag} (${one.count})`] as const),
      )}
      {choice(
        "experiment_id",
        t("gallery.experiment"),
        experiments.map((one) => [one.id, one.name] as const),
      )}
      {typed("created_after", t("gallery.from"), "date")}
      {typed("created_before", t("gallery.until"), "date")}
      <Button
        size="sm"
        variant={favourite ? "solid" : "outline"}
        aria-pressed={favourite}
        onClick={() => onChange({ favourite: favourite ? undefined : "true" })}
      >
        <Heart size={14} aria-hidden />
        {t("gallery.favourites")}
      </Button>
    </SimpleGrid>
  );
}
