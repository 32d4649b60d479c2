// One picture of the wall. Plain elements with classes of the wall: hundreds of them are made and thrown away while
// somebody scrolls.
import { Heart, Star } from "lucide-react";
import { memo, useRef } from "react";
import type { Generation } from "@/api/client";
import { Thumb } from "@/components/Thumb";
import { t } from "@/i18n";

const LONG_PRESS = 450;

interface Props {
  generation: Generation;
  size: number;
  chosen: boolean;
  active: boolean;
  entry: boolean;
  onPick: (id: string, how: "open" | "toggle" | "extend") => void;
  onFocus: (id: string) => void;
}

/** A finger that stays chooses; the click that follows it is not meant. */
function useLongPress(choose: () => void) {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const pressed = useRef(false);
  const end = () => clearTimeout(timer.current);
  return {
    /** Whether the click now belongs to a long press. */
    wasLong: () => pressed.current,
    handlers: {
      onPointerDown: (event: React.PointerEvent) => {
        pressed.current = false;
        if (event.pointerType === "mouse") return;
        timer.current = setTimeout(() => {
          pressed.current = true;
          choose();
        }, LONG_PRESS);
      },
      onPointerUp: end,
      onPointerCancel: end,
      onPointerLeave: end,
      onContextMenu: (event: React.MouseEvent) => pressed.current && event.preventDefault(),
    },
  };
}

export const Tile = memo(function Tile({ generation, size, chosen, active, entry, onPick, onFocus }: Props) {
  const { id, prompt, rating, favourite } = generation;
  const press = useLongPress(() => onPick(id, "toggle"));
  return (
    <div
      className="tile"
      data-chosen={chosen || undefined}
      data-active={active || undefined}
      style={{ width: size, height: size }}
    >
      <button
        type="button"
        className="picture"
        data-id={id}
        tabIndex={entry ? 0 : -1}
        aria-label={t("gallery.tile", { prompt, seed: String(generation.seed) })}
        onFocus={() => onFocus(id)}
        onClick={(event) => {
          if (press.wasLong()) return;
          onPick(id, event.shiftKey ? "extend" : event.ctrlKey || event.metaKey ? "toggle" : "open");
        }}
        {...press.handlers}
      >
        <Thumb generation={generation} size={size} alt="" />
      </button>
      <input
        type="checkbox"
        className="choose"
        tabIndex={-1}
        checked={chosen}
        aria-label={t("gallery.choose", { prompt })}
        onChange={() => onPick(id, "toggle")}
      />
      {(favourite || Boolean(rating)) && (
        <span className="marks">
          {favourite && <Heart size={12} fill="currentColor" aria-label={t("common.rating.favourite")} />}
          {rating ? (
            <>
              <Star size={12} fill="currentColor" aria-hidden />
              <span>{rating}</span>
            </>
          ) : null}
        </span>
      )}
    </div>
  );
});
