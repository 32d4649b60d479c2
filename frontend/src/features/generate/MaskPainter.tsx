// Paints a mask over the start image: what is painted is drawn anew. With a mouse, a pen, a finger, or the arrow keys and Space.
import { Box, Button, Dialog, Flex, Portal } from "@chakra-ui/react";
import { type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from "react";
import { t } from "@/i18n";
import { grown, maskColours, type Point, paint, pointAt, type Stroke, shownColours } from "./strokes";

/** Masks need no more: the server scales them to the picture. */
const most = 1024;

interface Props {
  url: string;
  onDone: (data: string) => void;
  onClose: () => void;
}

function useNaturalSize(url: string) {
  const [size, setSize] = useState<{ width: number; height: number }>();
  useEffect(() => {
    const image = new Image();
    image.onload = () => {
      const scale = Math.min(1, most / Math.max(image.naturalWidth, image.naturalHeight));
      setSize({ width: Math.round(image.naturalWidth * scale), height: Math.round(image.naturalHeight * scale) });
    };
    image.src = url;
  }, [url]);
  return size;
}

const steps: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export default function MaskPainter({ url, onDone, onClose }: Props) {
  const size = useNaturalSize(url);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [strokes, setStrokes] = useState<Stroke[]>([]);
  const [brush, setBrush] = useState(12);
  const [cursor, setCursor] = useState<Point>();
  const painting = useRef(false);
  const diameter = size ? (Math.max(size.width, size.height) * brush) / 100 : 0;

  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (context && size) paint(context, strokes, shownColours);
  }, [strokes, size]);

  const at = (event: PointerEvent): Point | undefined =>
    size && pointAt(event.currentTarget.getBoundingClientRect(), size, event.clientX, event.clientY);
  const down = (event: PointerEvent) => {
    const point = at(event);
    if (!point || event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    painting.current = true;
    setStrokes((old) => [...old, { size: diameter, points: [point] }]);
  };
  const move = (event: PointerEvent) => {
    const point = at(event);
    if (painting.current && point) setStrokes((old) => grown(old, point));
  };
  const up = () => {
    painting.current = false;
  };
  const key = (event: KeyboardEvent) => {
    const step = steps[event.key];
    if (!size || (!step && event.key !== " ")) return;
    event.preventDefault();
    const from = cursor ?? { x: size.width / 2, y: size.height / 2 };
    const [dx, dy] = step ?? [0, 0];
    const to = {
      x: Math.min(size.width, Math.max(0, from.x + (dx * diameter) / 2)),
      y: Math.min(size.height, Math.max(0, from.y + (dy * diameter) / 2)),
    };
    setCursor(to);
    if (event.key === " ") setStrokes((old) => [...old, { size: diameter, points: [to] }]);
  };
  const done = () => {
    if (!size) return;
    const out = Object.assign(document.createElement("canvas"), size);
    const context = out.getContext("2d");
    if (!context) return;
    paint(context, strokes, maskColours);
    onDone(out.toDataURL("image/png"));
  };
  return (
    <Dialog.Root
      open
      onOpenChange={({ open }) => !open && onClose()}
      placement="center"
      size={{ base: "full", md: "lg" }}
    >
      <Portal>
        <Dialog.Backdrop />
        <Dialog.Positioner>
          <Dialog.Content>
            <Dialog.Header pb="2">
              <Dialog.Title>{t("generate.paintMask")}</Dialog.Title>
            </Dialog.Header>
            <Dialog.Body>
              <Box
                position="relative"
                mx="auto"
                bg="bg.muted"
                style={{
                  width: size ? `min(100%, calc(60dvh * ${size.width / size.height}))` : "100%",
                  aspectRatio: size ? `${size.width} / ${size.height}` : "1",
                }}
              >
                <img src={url} alt="" draggable={false} style={{ width: "100%", height: "100%" }} />
                {size && (
                  <canvas
                    ref={canvas}
                    aria-label={t("generate.paintHelp")}
                    tabIndex={0}
                    width={size.width}
                    height={size.height}
                    onPointerDown={down}
                    onPointerMove={move}
                    onPointerUp={up}
                    onPointerCancel={up}
                    onKeyDown={key}
                    style={{
                      position: "absolute",
                      inset: 0,
                      width: "100%",
                      height: "100%",
                      opacity: 0.7,
                      touchAction: "none",
                      cursor: "crosshair",
                    }}
                  />
                )}
                {size && cursor && (
                  <Box
                    position="absolute"
                    pointerEvents="none"
                    rounded="full"
                    borderWidth="2px"
                    borderColor="brand.solid"
                    style={{
                      left: `${((cursor.x - diameter / 2) / size.width) * 100}%`,
                      top: `${((cursor.y - diameter / 2) / size.height) * 100}%`,
                      width: `${(diameter / size.width) * 100}%`,
                      aspectRatio: 1,
                    }}
                  />
                )}
              </Box>
            </Dialog.Body>
            <Dialog.Footer flexWrap="wrap">
              <Flex asChild align="center" gap="2" flex="1" minW="40" fontSize="xs">
                <label>
                  {t("generate.brush")}
                  <input
                    type="range"
                    min={2}
                    max={40}
                    value={brush}
                    onChange={({ target }) => setBrush(Number(target.value))}
                    style={{ flex: 1, minWidth: 60, height: 24, accentColor: "#6d3fd9" }}
                  />
                </label>
              </Flex>
              <Button variant="ghost" disabled={!strokes.length} onClick={() => setStrokes(strokes.slice(0, -1))}>
                {t("common.undo")}
              </Button>
              <Button variant="outline" onClick={onClose}>
                {t("common.cancel")}
              </Button>
              <Button colorPalette="brand" disabled={!strokes.length} onClick={done}>
                {t("generate.useMask")}
              </Button>
            </Dialog.Footer>
          </Dialog.Content>
        </Dialog.Positioner>
      </Portal>
    </Dialog.Root>
  );
}
