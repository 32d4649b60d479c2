// What the first page costs: gzip of index.html's scripts and everything they import at once, and of the page's own
// chunk. first_load.mjs LIMIT_KB fails above the limit.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";

const dist = join(import.meta.dirname, "../dist");
const limit = Number(process.argv[2]);
const seen = new Set();

/** The file and what it imports statically. */
function follow(file) {
  if (seen.has(file)) return;
  seen.add(file);
  const text = readFileSync(join(dist, file), "utf8");
  for (const [, path] of text.matchAll(
    /(?:^|[;}\s])(?:import|export)\s*(?:[\w*{}\s,$]*\s*from\s*)?["'](\.[^"']+\.js)["']/g,
  ))
    follow(join(dirname(file), path));
}

const index = readFileSync(join(dist, "index.html"), "utf8");
for (const [, path] of index.matchAll(/(?:src|href)="\/([^"]+\.js)"/g)) follow(path);
// The first page is a lazy chunk: the preload table of the entry names it and what it needs.
const entry = [...seen].map((file) => readFileSync(join(dist, file), "utf8")).join("\n");
for (const [, path] of entry.matchAll(/import\(["'`]\.\/(GeneratePage-[^"'`]+\.js)["'`]\)/g))
  follow(join("assets", path));

const sizes = [...seen].map((file) => [file, gzipSync(readFileSync(join(dist, file)), { level: 9 }).length]);
const total = sizes.reduce((sum, [, size]) => sum + size, 0);
for (const [file, size] of sizes.sort((a, b) => b[1] - a[1]))
  console.log(`${(size / 1000).toFixed(1).padStart(8)} kB  ${file}`);
console.log(`${(total / 1000).toFixed(1).padStart(8)} kB  in all; limit ${limit} kB`);
if (!sizes.some(([file]) => file.includes("GeneratePage"))) {
  console.error("the chunk of the first page was not found");
  process.exit(1);
}
process.exit(total / 1000 > limit ? 1 : 0);
