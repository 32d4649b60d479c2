// Picture files that a person brings: read as data URLs, refused in words when they are none of ours or too large.
import { asProblem, Problem } from "@/api/client";
import { t } from "@/i18n";
import type { Source } from "./store";

export const pictureTypes = ["image/png", "image/jpeg", "image/webp"];
/** Base64 of it must fit into the 32 MiB that the server takes. */
const mostBytes = 24_000_000;

export function readPicture(file: File): Promise<Extract<Source, { kind: "file" }>> {
  if (!pictureTypes.includes(file.type))
    return Promise.reject(new Problem(0, "not_a_picture", t("generate.notAPicture", { name: file.name })));
  if (file.size > mostBytes)
    return Promise.reject(new Problem(0, "too_large", t("generate.tooLarge", { name: file.name })));
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done({ kind: "file", name: file.name, data: String(reader.result) });
    reader.onerror = () => failed(asProblem(reader.error ?? new Error(file.name)));
    reader.readAsDataURL(file);
  });
}

/** The first picture among what was dropped or pasted; any file when none is a picture, so that it can be refused. */
export function fileOf(transfer: DataTransfer | null): File | undefined {
  const files = [...(transfer?.files ?? [])];
  return files.find((one) => pictureTypes.includes(one.type)) ?? files[0];
}
