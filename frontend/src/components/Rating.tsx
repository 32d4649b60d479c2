// One to five stars, a second click on the same star takes the rating back.
import { HStack, IconButton } from "@chakra-ui/react";
import { Heart, Star } from "lucide-react";
import { t } from "@/i18n";

export function Rating({
  value,
  onChange,
  size = 18,
}: {
  value: number;
  onChange: (value: number) => void;
  size?: number;
}) {
  return (
    <HStack gap="0" role="group" aria-label={t("common.rating.label")}>
      {[1, 2, 3, 4, 5].map((star) => (
        <IconButton
          key={star}
          variant="ghost"
          size="xs"
          minW="7"
          aria-label={t("common.rating.stars", { n: star })}
          aria-pressed={star <= value}
          color={star <= value ? "orange.fg" : "fg.muted"}
          onClick={() => onChange(star === value ? 0 : star)}
        >
          <Star size={size} fill={star <= value ? "currentColor" : "none"} />
        </IconButton>
      ))}
    </HStack>
  );
}

export function Favourite({
  value,
  onChange,
  size = 18,
}: {
  value: boolean;
  onChange: (value: boolean) => void;
  size?: number;
}) {
  return (
    <IconButton
      variant="ghost"
      size="xs"
      aria-label={t("common.rating.favourite")}
      aria-pressed={value}
      color={value ? "red.fg" : "fg.muted"}
      onClick={() => onChange(!value)}
    >
      <Heart size={size} fill={value ? "currentColor" : "none"} />
    </IconButton>
  );
}
