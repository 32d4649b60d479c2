// Sizes that suit a model: its native area in the shapes that people draw.
import type { Model } from "@/api/client";

export interface Size {
  width: number;
  height: number;
}
export interface Preset extends Size {
  ratio: string;
}

const shapes: [string, number][] = [
  ["1:1", 1],
  ["4:3", 4 / 3],
  ["3:2", 3 / 2],
  ["16:9", 16 / 9],
];

const nearest = (value: number, unit: number): number => Math.max(64, Math.round(value / unit) * unit);

export function nativeSize(model: Model | undefined): Size {
  return { width: model?.width ?? 512, height: model?.height ?? 512 };
}

/** The native area in each shape, lying; sides are multiples of 64 for models that are that large, as they were trained. */
export function presets(model: Model | undefined): Preset[] {
  const native = nativeSize(model);
  const area = native.width * native.height;
  const unit = Math.max(model?.multiple ?? 8, area >= 512 * 512 ? 64 : 8);
  return shapes.map(([ratio, shape]) => ({
    ratio,
    width: nearest(Math.sqrt(area * shape), unit),
    height: nearest(Math.sqrt(area / shape), unit),
  }));
}

/** "4:3" lying, "3:4" standing. */
export function ratioName(preset: Preset, standing: boolean): string {
  return standing ? preset.ratio.split(":").reverse().join(":") : preset.ratio;
}

export function oriented(preset: Preset, standing: boolean): Size {
  const { width, height } = preset;
  return standing ? { width: height, height: width } : { width, height };
}
