// What is shown, as files: made here of what is on the screen, or by the server of the whole run.
import { Button, Menu, Portal } from "@chakra-ui/react";
import { Download } from "lucide-react";
import { download, saveBlob } from "@/api/client";
import { notify } from "@/components/notify";
import { t } from "@/i18n";
import { csvOf } from "./csv";
import type { Cell, Cube } from "./cube";
import type { Measured } from "./measures";
import { pictureOf } from "./picture";
import { useGrid } from "./store";

export interface ExportProps {
  experiment: string;
  run: number | undefined;
  name: string;
  cube: Cube;
  cells: readonly Cell[];
  measured: Measured;
  table: () => HTMLElement | null;
  /** On phones: the icon alone. */
  brief?: boolean;
}

const MOST_ZIPPED = 1000;

/** Pictures of cells, in the order of the grid. */
export async function saveZip(cube: Cube, selected: ReadonlySet<string>, name: string): Promise<void> {
  const ids = cube.cells.filter((cell) => selected.has(cell.id) && cell.generation.image).map((cell) => cell.id);
  if (ids.length > MOST_ZIPPED) notify.info(t("grid.tooMany", { n: MOST_ZIPPED, over: ids.length - MOST_ZIPPED }));
  try {
    await download("/api/v1/generations/zip", { ids: ids.slice(0, MOST_ZIPPED) }, `${name}.zip`);
  } catch (error) {
    notify.error(error, t("grid.exportFailed"));
  }
}

async function saveScreen(table: HTMLElement | null, name: string): Promise<void> {
  if (!table) return;
  try {
    saveBlob(await pictureOf(table), `${name}.png`);
  } catch (error) {
    notify.error(error, t("grid.exportFailed"));
  }
}

const formats = [
  ["csv", "grid.exportAllCsv"],
  ["json", "grid.exportAllJson"],
  ["png", "grid.exportAllPng"],
  ["html", "grid.exportAllHtml"],
] as const;

export function ExportMenu({ experiment, run, name, cube, cells, measured, table, brief = false }: ExportProps) {
  const selected = useGrid((state) => state.selected);
  const choose = (what: string) => {
    if (what === "screen") void saveScreen(table(), name);
    if (what === "table") saveBlob(new Blob([csvOf(cube, cells, measured)], { type: "text/csv" }), `${name}.csv`);
    if (what === "zip") void saveZip(cube, selected, name);
  };
  return (
    <Menu.Root onSelect={({ value }) => choose(value)}>
      <Menu.Trigger asChild>
        <Button size={brief ? "sm" : "xs"} variant="outline" aria-label={t("grid.export")}>
          <Download size={14} />
          {!brief && t("grid.export")}
        </Button>
      </Menu.Trigger>
      <Portal>
        <Menu.Positioner>
          <Menu.Content>
            <Menu.Item value="screen">{t("grid.exportScreen")}</Menu.Item>
            <Menu.Item value="table">{t("grid.exportTable", { n: cells.length })}</Menu.Item>
            <Menu.Item value="zip" disabled={!selected.size}>
              {selected.size ? t("grid.exportZip", { n: selected.size }) : t("grid.exportZipNone")}
            </Menu.Item>
            <Menu.Separator />
            {formats.map(([format, label]) => (
              <Menu.Item key={format} value={format} asChild>
                <a
                  href={`/api/v1/experiments/${experiment}/export?format=${format}${run ? `&run=${run}` : ""}`}
                  download
                >
                  {t(label)}
                </a>
              </Menu.Item>
            ))}
          </Menu.Content>
        </Menu.Positioner>
      </Portal>
    </Menu.Root>
  );
}
