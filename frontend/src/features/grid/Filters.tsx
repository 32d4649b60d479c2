// Search and filters. What is typed reaches the address a moment later, so that typing stays quick.
import { Button, Input, InputGroup } from "@chakra-ui/react";
import { Heart, Search } from "lucide-react";
import { type RefObject, useEffect, useState } from "react";
import { t } from "@/i18n";
import { Pick } from "./Pick";
import { isFiltered, type Patch, type View } from "./view";

interface Props {
  view: View;
  change: (patch: Patch) => void;
  search: RefObject<HTMLInputElement | null>;
  tall?: boolean;
}

const PAUSE = 150;
const states = ["succeeded", "failed", "impossible", "cancelled", "running", "queued"] as const;

function SearchBox({ view, change, search, tall }: Props) {
  const [typed, setTyped] = useState(view.q);
  const [known, setKnown] = useState(view.q);
  if (known !== view.q) {
    setKnown(view.q);
    setTyped(view.q);
  }
  useEffect(() => {
    if (typed === view.q) return;
    const timer = setTimeout(() => change({ q: typed }), PAUSE);
    return () => clearTimeout(timer);
  }, [typed, view.q, change]);
  return (
    <InputGroup startElement={<Search size={14} />} w={tall ? "full" : "52"} startElementProps={{ px: "2" }}>
      <Input
        ref={search}
        type="search"
        size={tall ? "md" : "xs"}
        ps="7"
        fontSize={tall ? "md" : undefined}
        aria-label={t("grid.search")}
        placeholder={t("grid.searchHint")}
        value={typed}
        onChange={({ target }) => setTyped(target.value)}
        onKeyDown={({ key }) => {
          if (key === "Enter" || key === "Escape") change({ q: key === "Enter" ? typed : undefined });
        }}
      />
    </InputGroup>
  );
}

export function Filters(props: Props) {
  const { view, change, tall } = props;
  const size = tall ? "md" : "xs";
  return (
    <>
      <SearchBox {...props} />
      <Pick
        label={t("grid.status")}
        value={view.status ?? ""}
        options={[
          { value: "", label: t("common.all") },
          ...states.map((value) => ({ value, label: t(`common.status.${value}`) })),
        ]}
        onChange={(status) => change({ status })}
        tall={tall}
      />
      <Pick
        label={t("grid.rating")}
        value={String(view.rating)}
        options={[
          { value: "0", label: t("common.all") },
          ...[1, 2, 3, 4, 5].map((n) => ({ value: String(n), label: t("grid.ratingAtLeast", { n }) })),
        ]}
        onChange={(rating) => change({ rating: rating === "0" ? undefined : rating })}
        tall={tall}
      />
      <Button
        size={size}
        variant={view.favourite ? "solid" : "ghost"}
        aria-label={t("grid.favourites")}
        title={t("grid.favourites")}
        aria-pressed={view.favourite}
        onClick={() => change({ favourite: !view.favourite })}
      >
        <Heart size={14} fill={view.favourite ? "currentColor" : "none"} />
        {tall && t("grid.favourites")}
      </Button>
      {isFiltered(view) && (
        <Button
          size={size}
          variant="ghost"
          onClick={() => change({ q: undefined, status: undefined, rating: undefined, favourite: undefined })}
        >
          {t("grid.clearFilters")}
        </Button>
      )}
    </>
  );
}
