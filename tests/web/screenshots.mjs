// Every page as it looks with something in it: desktop, phone and dark, into docs/images/app (or the folder given).
//
//   node tests/web/screenshots.mjs [FOLDER] [PAGE...]
import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { chromium } from "playwright-core";
import { desktop, phone, Server } from "./harness.mjs";

const folder = resolve(process.argv[2] ?? join(import.meta.dirname, "../../docs/images/app"));
const wanted = process.argv.slice(3);

const prompts = [
  "a red circle left of a blue square",
  "two yellow stars on a green background",
  "a large purple triangle above a small white circle",
  "three orange squares",
  "a small green circle right of a red star",
  "a blue star below a yellow square",
];

/** A server that has been used: pictures, ratings, a finished experiment with votes, one that runs. */
async function furnish(server) {
  for (const [place, prompt] of prompts.entries()) {
    const [one] = await server.draw({ prompt, steps: 20, width: 128, height: 128, seed: 7 + place, cfg_scale: 4 });
    await server.ask("PATCH", `/api/v1/generations/${one.id}`, {
      rating: (place % 3) + 3,
      favourite: place % 2 === 0,
      tags: place % 2 ? ["shapes"] : ["shapes", "keep"],
    });
  }
  const finished = await server.experiment(
    {
      version: 1,
      type: "convergence",
      base: { model: "demo", cfg_scale: 4, width: 128, height: 128 },
      prompts: prompts.slice(0, 2),
      samplers: ["euler", "heun", "dpmpp_2m", "ddim"],
      steps: [2, 4, 8, 12, 20, 32],
      constraints: [
        { where: { sampler: "heun" }, require: { steps: { max: 20 } }, reason: "heun evaluates twice per step" },
      ],
      replicates: { count: 2 },
    },
    "How many steps does each sampler need?",
  );
  const { items } = await server.ask("GET", `/api/v1/experiments/${finished.id}/pairs?limit=40`);
  for (const [place, pair] of items.entries())
    await server.ask("POST", "/api/v1/votes", {
      id: crypto.randomUUID(),
      left: pair.left.generation_id,
      right: pair.right.generation_id,
      choice: ["left", "right", "tie"][place % 3],
    });
  await server.ask("POST", "/api/v1/experiments", {
    name: "Which guidance for which prompt?",
    start: false,
    spec: {
      version: 1,
      type: "cfg",
      base: { model: "demo", steps: 12 },
      prompts,
      cfg_scales: "1..9 by 1",
      replicates: { count: 2 },
    },
  });
  return finished;
}

/** A task that has ended, with a record that failed, and one whose sample waits. */
async function furnishTasks(server) {
  const folder = join(server.folder, "data/datasets");
  await mkdir(folder, { recursive: true });
  const records = Array.from({ length: 24 }, (_, i) => ({ id: `item-${i + 1}`, prompt: prompts[i % 6], shelf: i % 3 }));
  const lines = [...records, { id: "item-25", prompt: 25 }].map((one) => `${JSON.stringify(one)}\n`);
  await writeFile(join(folder, "catalogue.jsonl"), lines.join(""));
  const make = (name, more) =>
    server.ask("POST", "/api/v1/tasks", {
      document: {
        version: 1,
        name,
        source: { type: "jsonl", path: "catalogue.jsonl" },
        model: { model: "demo", parameters: { steps: 20, cfg_scale: 4 } },
        destination: { url: `file:${name}`, object: "{record_id}/{seed}.{ext}" },
        cost: { per_hour: 1.2, currency: "EUR" },
        ...more,
      },
    });
  const done = await make("catalogue-autumn", {});
  const sample = await make("catalogue-winter", { canary: { count: 9, by: ["shelf"] } });
  for (const [{ id }, wanted] of [
    [done, "completed"],
    [sample, "awaiting_approval"],
  ])
    while ((await server.ask("GET", `/api/v1/tasks/${id}`)).status !== wanted)
      await new Promise((again) => setTimeout(again, 200));
  return { done, sample };
}

/** Nothing loads any more, and the pictures in view are there; strips keep some beyond their edge, so not for long. */
async function settled(tab) {
  await tab.locator("h1").first().waitFor({ state: "attached" });
  const there = () => {
    const busy = [...document.querySelectorAll("[role=status]")].some((one) =>
      /^(Loading|Measuring)/.test(one.textContent),
    );
    const visible = (one) => {
      const box = one.getBoundingClientRect();
      return box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
    };
    return !busy && [...document.images].filter(visible).every((one) => one.complete);
  };
  await tab.waitForFunction(there, undefined, { timeout: 10_000 }).catch(() => {});
  await tab.waitForTimeout(500);
}

const server = new Server();
await server.start();
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
try {
  const experiment = await furnish(server);
  const tasks = await furnishTasks(server);
  const first = (await server.ask("GET", "/api/v1/generations?limit=1&sort=created")).items[0];
  const pages = {
    generate: `/?from=${first.id}`,
    experiments: "/experiments",
    builder: `/experiments/new?clone=${experiment.id}`,
    progress: `/experiments/${experiment.id}`,
    grid: `/experiments/${experiment.id}/grid`,
    analysis: `/experiments/${experiment.id}/analysis`,
    judge: `/experiments/${experiment.id}/judge`,
    gallery: "/gallery",
    detail: `/gallery?view=${first.id}`,
    tasks: "/tasks",
    "task-new": "/tasks/new",
    task: `/tasks/${tasks.done.id}`,
    "task-sample": `/tasks/${tasks.sample.id}`,
    queue: "/queue",
    models: "/models",
    system: "/system",
    people: "/people",
    settings: "/settings",
    login: "/login",
  };
  await mkdir(folder, { recursive: true });
  const looks = [
    ["desktop", { ...desktop, colorScheme: "light" }],
    ["dark", { ...desktop, colorScheme: "dark" }],
    ["phone", { ...phone, colorScheme: "dark" }],
  ];
  for (const [look, { name: _, ...settings }] of looks) {
    const context = await browser.newContext({ ...settings, reducedMotion: "reduce" });
    for (const [name, address] of Object.entries(pages)) {
      if (wanted.length && !wanted.includes(name)) continue;
      const tab = await context.newPage();
      await tab.goto(server.url + address);
      await tab.waitForLoadState("networkidle");
      await settled(tab);
      await tab.screenshot({ path: join(folder, `${name}-${look}.jpg`), type: "jpeg", quality: 82 });
      await tab.close();
    }
    await context.close();
  }
} finally {
  await browser.close();
  await server.remove();
}
