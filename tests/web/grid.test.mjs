// The comparison grid, of experiments that the server has drawn.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { checkAccessibility, desktop, phone, shoot, small, suite } from "./harness.mjs";

const spec = {
  version: 1,
  type: "parameter_sweep",
  base: { model: "demo", ...small, cfg_scale: 4 },
  prompts: ["a red circle left of a blue square", "a green triangle above a yellow circle"],
  samplers: ["euler", "heun", "ddim"],
  steps: [2, 3, 4, 6],
  constraints: [{ where: { sampler: "heun" }, require: { steps: { max: 4 } }, reason: "too slow to be worth it" }],
  replicates: { count: 2, seed: 100 },
};

suite("grid", ({ server, test }) => {
  let made;
  /** One experiment for all tests: 2 prompts x 3 samplers x 4 steps x 2 seeds. */
  const address = async (search = "") => {
    made ??= await server.experiment(spec, "Samplers and steps");
    return `/experiments/${made.id}/grid${search}`;
  };
  const table = (tab) => tab.getByRole("grid", { name: "Comparison grid" });
  const cell = (tab, name) => table(tab).getByRole("button", { name }).first();
  const rowsAre = (tab, titles) =>
    tab.waitForFunction(
      (wanted) => [...document.querySelectorAll("[role=rowheader]")].map((one) => one.textContent).join() === wanted,
      titles.join(),
    );
  const search = (tab) => new URL(tab.url()).searchParams;
  /** So many of them are in the table, now or in a moment. */
  const shown = (tab, selector, count) =>
    tab.waitForFunction(([one, n]) => document.querySelectorAll(`[role=grid] ${one}`).length === n, [selector, count]);

  test("any axes are rows, columns and tabs, and the address keeps them", desktop, async ({ page }) => {
    const tab = await page(await address());
    await table(tab).waitFor();
    await rowsAre(tab, ["euler", "heun", "ddim"]);
    assert.deepEqual(await table(tab).getByRole("columnheader").allTextContents(), [
      "Steps →Sampler ↓",
      "2",
      "3",
      "4",
      "6",
    ]);
    await tab.getByRole("button", { name: "a green triangle" }).click();
    await cell(tab, /Prompt a green triangle.*Sampler euler, Steps 2, Replicate Seed 100/).waitFor();
    await tab.getByLabel("Replicate", { exact: true }).selectOption("Seed 101");
    await cell(tab, /Sampler euler, Steps 2, Replicate Seed 101/).waitFor();
    await tab.getByRole("button", { name: "Swap rows and columns" }).click();
    await rowsAre(tab, ["2", "3", "4", "6"]);
    await tab.reload();
    await cell(tab, /Prompt a green triangle.*Replicate Seed 101/).waitFor();
    await rowsAre(tab, ["2", "3", "4", "6"]);
    await tab.getByLabel("Replicate", { exact: true }).selectOption("All in one cell");
    await cell(tab, /Replicate Seed 100/).waitFor();
    await cell(tab, /Replicate Seed 101/).waitFor();
    await checkAccessibility(tab);
    await shoot(tab, "grid-desktop");
  });

  test("cells are grouped, sorted and filtered", desktop, async ({ page }) => {
    const tab = await page(await address());
    await tab.getByRole("combobox", { name: "Sections" }).selectOption("Sampler");
    await table(tab).getByText("euler 4 cells").waitFor();
    await tab.getByLabel("Sort").selectOption("Seconds");
    await tab.waitForURL("**sort=-seconds**");
    const spoken = await table(tab).getByRole("button").first().getAttribute("aria-label");
    assert.match(spoken ?? "", /Sampler euler/);
    await tab.getByRole("combobox", { name: "Sections" }).selectOption("None");
    await tab.keyboard.press("/");
    await tab.keyboard.type("ddim triangle");
    await tab.waitForURL("**q=ddim*");
    await shown(tab, "[data-cell]", 8);
    const labels = await table(tab)
      .getByRole("button")
      .evaluateAll((all) => all.map((one) => one.getAttribute("aria-label")));
    assert.ok(labels.every((label) => /triangle.*ddim/.test(label)));
    await tab.keyboard.press("Escape");
    await tab.getByLabel("State").selectOption("Impossible");
    await tab.waitForURL((url) => url.searchParams.get("status") === "impossible" && !url.searchParams.has("q"));
    await shown(tab, "[data-cell]", 4);
    await checkAccessibility(tab);
  });

  test("impossible cells say why, and so do failed ones", desktop, async ({ page }) => {
    const tab = await page(await address());
    const impossible = cell(tab, /Sampler heun, Steps 6/);
    assert.match(await impossible.textContent(), /Impossible.*too slow to be worth it/);
    await impossible.hover();
    await tab.getByRole("tooltip").getByText("Impossible: too slow to be worth it").waitFor();
    await tab.mouse.move(5, 5);
    const other = await server.ask("POST", "/api/v1/experiments", {
      name: "Cancelled",
      spec: { ...spec, base: { ...spec.base, width: 256, height: 256 }, steps: [300, 400], constraints: [] },
      start: true,
    });
    await server.ask("POST", `/api/v1/experiments/${other.id}/cancel`);
    await tab.goto(`${server.url}/experiments/${other.id}/grid`);
    await cell(tab, /Cancelled/).waitFor();
    assert.match(await cell(tab, /Cancelled/).textContent(), /Cancelled/);
    await checkAccessibility(tab);
  });

  test("the keyboard does everything", desktop, async ({ page }) => {
    const tab = await page(await address());
    await cell(tab, /Sampler euler, Steps 2/).waitFor();
    await tab.keyboard.press("ArrowDown");
    await tab.waitForFunction(() => /euler, Steps 2/.test(document.activeElement?.getAttribute("aria-label") ?? ""));
    await tab.keyboard.press("ArrowRight");
    await tab.keyboard.press("ArrowDown");
    await tab.waitForFunction(() => /heun, Steps 3/.test(document.activeElement?.getAttribute("aria-label") ?? ""));
    await tab.getByRole("tooltip").getByText("heun").waitFor();
    await tab.keyboard.press("End");
    await tab.waitForFunction(() => /heun, Steps 6/.test(document.activeElement?.getAttribute("aria-label") ?? ""));
    await tab.keyboard.press("Home");
    await tab.keyboard.press("Control+End");
    await tab.waitForFunction(() => /ddim, Steps 6/.test(document.activeElement?.getAttribute("aria-label") ?? ""));
    await tab.keyboard.press("4");
    await tab.keyboard.press("f");
    await cell(tab, /ddim, Steps 6.*4 stars, Favourite/).waitFor();
    const rated = await server.ask("GET", `/api/v1/generations?experiment_id=${made.id}&rating_min=4`);
    assert.deepEqual([rated.items.length, rated.items[0].sampler, rated.items[0].favourite], [1, "ddim", true]);
    await tab.keyboard.press(" ");
    await tab.getByText("1 selected").waitFor();
    await tab.keyboard.press("Enter");
    await tab.waitForURL((url) => url.searchParams.get("view") === rated.items[0].id);
    await tab.goBack();
    await tab.waitForURL((url) => !url.searchParams.has("view"));
    await tab.getByLabel("Rating", { exact: true }).first().selectOption("4 stars or more");
    await shown(tab, "[data-cell]", 1);
    await server.ask("PATCH", `/api/v1/generations/${rated.items[0].id}`, { rating: null, favourite: false });
  });

  test("? lists the keys of the grid", desktop, async ({ page }) => {
    const tab = await page(await address());
    await table(tab).waitFor();
    await tab.keyboard.press("?");
    const help = tab.getByRole("dialog");
    for (const label of ["Mark to compare", "Open the picture", "Zoom all pictures", "5 stars"])
      await help.getByText(label).waitFor();
    await tab.keyboard.press("Escape");
    await help.waitFor({ state: "hidden" });
  });

  test(
    "cells are coloured by a measure with a legend, also by one that the server makes",
    desktop,
    async ({ page }) => {
      const tab = await page(await address());
      await tab.getByLabel("Colour").selectOption("Sharpness");
      await tab.getByRole("img", { name: /^Sharpness: from/ }).waitFor();
      await shown(tab, "[data-number]", 11);
      await cell(tab, /Sampler ddim, Steps 3/).hover();
      await tab.locator("[data-legend-mark]").waitFor();
      await tab.getByLabel("Show as").selectOption("Area");
      await shown(tab, "[data-area]", 11);
      await checkAccessibility(tab);
      await tab.getByLabel("Colour").selectOption("SSIM to the reference");
      await tab.getByRole("img", { name: /^SSIM to the reference: from/ }).waitFor();
      await shoot(tab, "grid-colour");
    },
  );

  test("all pictures are zoomed and moved together", desktop, async ({ page }) => {
    const tab = await page(await address());
    await cell(tab, /Sampler euler, Steps 3/).hover();
    const transforms = () =>
      table(tab)
        .locator("[data-cell] img")
        .evaluateAll((all) => [...new Set(all.map((one) => getComputedStyle(one).transform))]);
    assert.deepEqual(await transforms(), ["none"]);
    await tab.keyboard.down("Control");
    for (let i = 0; i < 4; i++) await tab.mouse.wheel(0, -240);
    await tab.keyboard.up("Control");
    await tab.waitForFunction(() => document.querySelector("[role=grid]")?.hasAttribute("data-zoomed"));
    const [zoomed, ...others] = await transforms();
    assert.equal(others.length, 0, "every cell shows the same part");
    assert.match(zoomed, /^matrix\(16, 0, 0, 16/);
    await tab.waitForFunction(() =>
      [...document.querySelectorAll("[data-cell] img")].every((one) => /image$/.test(one.src)),
    );
    await tab.keyboard.press("z");
    await tab.mouse.down();
    await tab.mouse.move(600, 420, { steps: 4 });
    await tab.mouse.up();
    const [moved] = await transforms();
    assert.notEqual(moved, zoomed);
    assert.equal(search(tab).get("view"), null, "dragging opens nothing");
    await tab.keyboard.press("0");
    await tab.waitForFunction(() => !document.querySelector("[role=grid]")?.hasAttribute("data-zoomed"));
    assert.deepEqual(await transforms(), ["none"]);
    await tab.keyboard.press("Escape");
  });

  test("what is on the screen is exported", desktop, async ({ page }) => {
    const tab = await page(await address("?colour=contrast"));
    await cell(tab, /Sampler euler, Steps 2/).waitFor();
    const save = async (name) => {
      const waiting = tab.waitForEvent("download");
      await tab.getByRole("button", { name: "Export" }).click();
      await tab.getByRole("menuitem", { name }).click();
      return readFile(await (await waiting).path());
    };
    const csv = (await save(/^Table of the 12 cells/)).toString();
    assert.equal(csv.trimEnd().split("\r\n").length, 13);
    assert.match(csv, /too slow to be worth it/);
    const png = await save(/^What is on screen/);
    assert.equal(png.subarray(1, 4).toString(), "PNG");
    assert.ok(png.length > 5000, "pictures and words are in it");
    if (process.env.CAULDRON_SHOTS)
      await (await import("node:fs/promises")).writeFile(`${process.env.CAULDRON_SHOTS}/grid-export.png`, png);
    await tab.getByRole("button", { name: "Export" }).click();
    assert.match(
      (await tab.getByRole("menuitem", { name: "Contact sheet (PNG)" }).getAttribute("href")) ?? "",
      /export\?format=png$/,
    );
    await tab.keyboard.press("Escape");
    await cell(tab, /Sampler euler, Steps 2/).focus();
    await tab.keyboard.press("Control+a");
    await tab.getByText("12 selected").waitFor();
    const waiting = tab.waitForEvent("download");
    await tab.getByRole("button", { name: "ZIP", exact: true }).click();
    const zip = await readFile(await (await waiting).path());
    assert.equal(zip.subarray(0, 2).toString(), "PK");
  });

  test("cells fill in while the experiment runs, and stay where they are", desktop, async ({ page }) => {
    const running = await server.ask("POST", "/api/v1/experiments", {
      name: "Live",
      spec: {
        version: 1,
        type: "parameter_sweep",
        base: { model: "demo", ...small, prompt: "a red circle" },
        cfg_scales: "1..8 by 0.5",
        steps: [30, 40, 50],
      },
      start: true,
    });
    const tab = await page(`/experiments/${running.id}/grid`);
    await table(tab).waitFor();
    const count = await table(tab).getByRole("columnheader").count();
    await tab.waitForFunction(() => document.querySelectorAll("[data-cell] img").length > 5);
    await tab.waitForFunction(
      () => [...document.querySelectorAll("[data-cell]")].every((one) => one.querySelector("img")),
      null,
      { timeout: 60_000 },
    );
    assert.equal(await table(tab).getByRole("columnheader").count(), count);
    await server.ask("GET", `/api/v1/experiments/${running.id}`);
  });

  test("a phone scrolls both ways, arranges in a sheet and selects by a long press", phone, async ({ page }) => {
    const tab = await page(await address());
    await cell(tab, /Sampler euler, Steps 2/).waitFor();
    assert.equal(
      await tab.evaluate(() => document.documentElement.scrollWidth),
      390,
      "nothing is wider than the screen",
    );
    const header = await table(tab).getByRole("rowheader").first().boundingBox();
    await table(tab).evaluate((one) => one.scrollTo(200, 60));
    await tab.waitForFunction(() => document.querySelector("[role=grid]").scrollLeft > 0);
    const after = await table(tab).getByRole("rowheader").first().boundingBox();
    assert.equal(Math.round(after.x), Math.round(header.x), "headers stay");
    await table(tab).evaluate((one) => one.scrollTo(0, 0));
    await checkAccessibility(tab);
    await shoot(tab, "grid-phone");
    await tab.getByRole("button", { name: "Arrange" }).tap();
    await tab.getByRole("dialog").getByLabel("Colour").selectOption("Sharpness");
    await checkAccessibility(tab);
    await shoot(tab, "grid-phone-sheet");
    await tab.getByRole("dialog").getByRole("button", { name: "Close" }).tap();
    await tab.getByRole("dialog").waitFor({ state: "hidden" });
    await tab.getByRole("img", { name: /^Sharpness: from/ }).waitFor();
    const press = (name, type) =>
      cell(tab, name).dispatchEvent(type, {
        pointerType: "touch",
        bubbles: true,
        clientX: 150,
        clientY: 500,
        pointerId: 1,
        isPrimary: true,
        button: 0,
      });
    for (const name of [/Sampler euler, Steps 2/, /Sampler euler, Steps 3/]) {
      await press(name, "pointerdown");
      await tab.waitForTimeout(600);
      await press(name, "pointerup");
    }
    await tab.getByText("2 selected").waitFor();
    await tab
      .locator("[data-foot]")
      .getByText(/Sampler euler, Steps 3/)
      .waitFor();
    await tab.locator("[data-foot]").getByRole("button", { name: "3 stars" }).tap();
    await cell(tab, /Sampler euler, Steps 3.*3 stars/).waitFor();
    await tab.getByRole("button", { name: "Compare" }).tap();
    await tab.getByRole("group", { name: /^Picture B/ }).waitFor();
  });

  test("two fingers zoom on a phone, and a tap opens", phone, async ({ page }) => {
    const tab = await page(await address());
    const one = cell(tab, /Sampler euler, Steps 2/);
    const box = await one.boundingBox();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const cdp = await tab.context().newCDPSession(tab);
    const fingers = (type, gap) =>
      cdp.send("Input.dispatchTouchEvent", {
        type,
        touchPoints:
          type === "touchEnd"
            ? []
            : [
                { x: x - gap, y, id: 1 },
                { x: x + gap, y, id: 2 },
              ],
      });
    await fingers("touchStart", 10);
    for (const gap of [15, 20, 30]) await fingers("touchMove", gap);
    await fingers("touchEnd", 0);
    await tab.waitForFunction(() => document.querySelector("[role=grid]")?.hasAttribute("data-zoomed"));
    await tab.getByRole("button", { name: "Whole pictures" }).tap();
    await tab.waitForFunction(() => !document.querySelector("[role=grid]")?.hasAttribute("data-zoomed"));
    await one.tap();
    await tab.waitForURL("**view=*");
  });

  test("dark is as readable", desktop, async ({ open, page }) => {
    const tab = await page(await address("?colour=seconds&group=sampler&rows=-"), await open({ colorScheme: "dark" }));
    await cell(tab, /Sampler euler, Steps 2/).waitFor();
    await checkAccessibility(tab);
    await shoot(tab, "grid-dark");
  });
});
