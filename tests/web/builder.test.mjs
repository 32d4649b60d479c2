// Experiments: the list of them, and the builder with its live plan.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { checkAccessibility, desktop, phone, shoot, suite } from "./harness.mjs";

const examples = join(import.meta.dirname, "../../examples/experiments");
/** A spec that is being written is refused again and again; the browser logs each refusal. */
const refused = { allowed: /422 \(Unprocessable/ };
const tiny = {
  version: 1,
  type: "parameter_sweep",
  base: { model: "demo", prompt: "a red circle", width: 64, height: 64 },
};

const figure = (tab, label) =>
  tab.locator("aside dl > div", { has: tab.locator("dt", { hasText: new RegExp(`^${label}$`) }) }).locator("dd");
/** Waits until the plan says so. */
async function planSays(tab, label, text) {
  await figure(tab, label).filter({ hasText: text }).waitFor();
}
const axis = (tab, name) => tab.locator("li", { has: tab.getByRole("heading", { level: 3, name, exact: true }) });
async function jsonOf(tab) {
  await tab.getByRole("button", { name: "JSON", exact: true }).click();
  const text = await tab.getByLabel("The experiment as JSON").inputValue();
  await tab.getByRole("button", { name: "JSON", exact: true }).click();
  return JSON.parse(text);
}
async function sizes(tab, width = "64") {
  await tab
    .getByRole("textbox", { name: "Width" })
    .or(tab.getByRole("spinbutton", { name: "Width" }))
    .fill(width);
  await tab
    .getByRole("textbox", { name: "Height" })
    .or(tab.getByRole("spinbutton", { name: "Height" }))
    .fill(width);
}

suite("builder", ({ test, server }) => {
  test("an empty list teaches, and draws an example with one click", desktop, async ({ page }) => {
    const tab = await page("/experiments");
    await tab.getByRole("heading", { name: "Find out what makes good pictures" }).waitFor();
    await checkAccessibility(tab);
    await shoot(tab, "experiments-empty");
    await tab.getByRole("link", { name: "Look at it first" }).first().click();
    await planSays(tab, "Cells", "24");
    assert.equal(await tab.getByLabel("Name", { exact: true }).inputValue(), "Steps needed per sampler");
    await tab.goto(`${server.url}/experiments`);
    await tab.getByRole("button", { name: "Draw it" }).nth(1).click();
    await tab.waitForURL(/\/experiments\/[0-9a-f-]{36}/);
    const { items } = await server.ask("GET", "/api/v1/experiments");
    assert.deepEqual([items[0].type, items[0].run.total], ["cfg", 14]);
  });

  test(
    "3 samplers x 3 prompts x 4 step counts are built and started",
    desktop,
    async ({ page }) => {
      const tab = await page("/experiments");
      await tab.getByRole("heading", { level: 1 }).waitFor();
      await tab.keyboard.press("n");
      await tab.waitForURL("**/experiments/new");
      await tab.getByLabel("Name", { exact: true }).fill("Three by three by four");
      await tab.getByLabel("One per line").fill("# three of them\na red circle\n\na blue square\na green triangle\n");
      await tab.getByText("3 prompts").waitFor();
      await tab.getByRole("button", { name: "Heun", exact: true }).click();
      await tab.getByLabel("Values of Steps").fill("1..4");
      await tab.getByRole("button", { name: "Remove 4" }).waitFor();
      await sizes(tab);
      await planSays(tab, "Cells", "36");
      await planSays(tab, "To draw", "36");
      await tab.getByRole("img", { name: /3 rows \(.*\) by 4 columns \(Steps\), 3 panels/ }).waitFor();
      await tab.getByRole("slider", { name: "In the order of drawing" }).press("ArrowRight");
      await tab.getByText(/2 of 36: .*to draw/).waitFor();
      await checkAccessibility(tab);
      await shoot(tab, "builder-desktop");
      await tab.keyboard.press("Shift+D");
      await checkAccessibility(tab);
      await shoot(tab, "builder-dark");
      await tab.keyboard.press("Control+Enter");
      await tab.waitForURL(/\/experiments\/[0-9a-f-]{36}$/);
      const id = tab.url().split("/").at(-1);
      const made = await server.ask("GET", `/api/v1/experiments/${id}`);
      assert.equal(made.name, "Three by three by four");
      assert.equal(made.run.total, 36);
      assert.deepEqual(made.config.prompts, ["a red circle", "a blue square", "a green triangle"]);
      await tab.goto(`${server.url}/experiments/${id}/edit`);
      await tab.getByRole("heading", { name: /has been started/ }).waitFor();
      await checkAccessibility(tab);
    },
    refused,
  );

  test(
    "ranges become chips, and a wrong one says what would be right",
    desktop,
    async ({ page }) => {
      const tab = await page("/experiments/new?example=cfg");
      const values = tab.getByLabel("Values of CFG scale");
      const chips = axis(tab, "CFG scale").getByRole("button", { name: /^Remove (?!CFG)/ });
      await planSays(tab, "Cells", "14");
      assert.equal(await values.inputValue(), "1..16 in 7 log");
      assert.equal(await chips.count(), 7);
      await values.fill("2..10 by 2");
      assert.equal(await chips.count(), 5);
      await planSays(tab, "Cells", "10");
      await tab.getByRole("button", { name: "Remove 6" }).click();
      assert.equal(await values.inputValue(), "2, 4, 8, 10");
      await planSays(tab, "Cells", "8");
      await values.fill("2..10");
      await tab.getByText("Say how far apart").waitFor();
      await tab.getByRole("heading", { name: "To be mended" }).waitFor();
      assert.equal(await tab.getByRole("button", { name: "Start", exact: true }).isDisabled(), true);
      await values.fill("1..16 in 5 log");
      await planSays(tab, "Cells", "10");
      await tab.getByRole("button", { name: "Label and settings of 16" }).click();
      await tab.getByLabel("Label", { exact: true }).fill("burnt");
      await tab.getByRole("button", { name: "Remove burnt" }).waitFor();
      await planSays(tab, "Cells", "10");
      const spec = await jsonOf(tab);
      assert.deepEqual(spec.cfg_scales, [1, 2, 4, 8, { value: 16, label: "burnt" }]);
    },
    refused,
  );

  test(
    "words in braces, lock-step, and the order of the axes",
    desktop,
    async ({ page }) => {
      const tab = await page("/experiments/new");
      await tab.getByText("Sweep", { exact: true }).click();
      await tab.getByLabel("One per line").fill("a {colour} circle");
      await tab.getByRole("button", { name: "Give colour values" }).click();
      await tab.getByLabel("Values of {colour}, one per line").fill("red\ngreen\nblue");
      await tab.getByLabel("Add an axis").selectOption("width");
      await tab.getByLabel("Values of Width").fill("64, 96");
      await tab.getByLabel("Add an axis").selectOption("height");
      await tab.getByLabel("Values of Height").fill("96, 64");
      await planSays(tab, "Cells", "24");
      await axis(tab, "Width").getByText("Name and lock-step").click();
      await tab.getByLabel("Change Width in lock-step with").selectOption({ label: "Height (2 values)" });
      await planSays(tab, "Cells", "12");
      await tab.getByLabel("Values of Height").fill("96, 64, 128");
      await tab.getByText(/as many values each: Width 2, Height 3/).waitFor();
      await tab.getByLabel("Values of Height").fill("96, 64");
      await planSays(tab, "Cells", "12");
      const chip = tab.getByRole("button", { name: /^Edit Width \+ Height, 2 values/ });
      await chip.focus();
      await tab.keyboard.press("Shift+ArrowLeft");
      const order = (spec) => spec.axes.map((one) => one.parameter ?? one.variable ?? "zip");
      assert.deepEqual(order(await jsonOf(tab)), ["sampler", "zip", "colour"]);
      await tab
        .getByRole("button", { name: /^Edit Sampler/ })
        .dragTo(tab.getByRole("button", { name: /^Edit \{colour\}/ }));
      assert.deepEqual(order(await jsonOf(tab)), ["zip", "colour", "sampler"]);
      await tab.getByRole("button", { name: "Untie" }).click();
      await planSays(tab, "Cells", "24");
      await checkAccessibility(tab);
      await tab.getByRole("heading", { level: 1 }).click();
      await tab.keyboard.press("Control+z");
      await planSays(tab, "Cells", "12");
      await tab.keyboard.press("Control+Shift+z");
      await planSays(tab, "Cells", "24");
    },
    refused,
  );

  test(
    "rules make cells impossible or leave them out, and the plan says why",
    desktop,
    async ({ page }) => {
      const tab = await page("/experiments/new?example=steps");
      await planSays(tab, "Cells", "24");
      await tab.getByRole("button", { name: "Require" }).click();
      const first = tab.getByRole("group", { name: "Rule 1" });
      await first.getByLabel("Value of Sampler").selectOption("heun");
      await first.getByLabel("Value of Steps").fill("12");
      await first.getByLabel("Because").fill("two evaluations a step");
      await planSays(tab, "Impossible", "3");
      await tab.locator("aside").getByText("3 cells: two evaluations a step").waitFor();
      await tab.getByRole("heading", { name: "where Sampler is heun → Steps at most 12" }).waitFor();
      await tab.getByRole("button", { name: "Leave out" }).click();
      const second = tab.getByRole("group", { name: "Rule 2" });
      await second.getByLabel("Parameter", { exact: true }).selectOption("steps");
      await second.getByLabel("Value of Steps").fill("x");
      await second.getByRole("alert").waitFor();
      await second.getByLabel("Comparison of Steps").selectOption("in");
      await second.getByLabel("Value of Steps").fill("4, 8");
      await planSays(tab, "Left out", "8");
      await planSays(tab, "Cells", "16");
      await checkAccessibility(tab);
      await shoot(tab, "builder-rules");
      const spec = await jsonOf(tab);
      assert.deepEqual(spec.constraints, [
        { where: { sampler: "heun" }, require: { steps: { max: 12 } }, reason: "two evaluations a step" },
        { where: { steps: { in: [4, 8] } }, drop: true },
      ]);
    },
    refused,
  );

  test(
    "problems stand at their fields and lead there",
    desktop,
    async ({ page }) => {
      const tab = await page("/experiments/new");
      await tab
        .locator("aside")
        .getByRole("button", { name: /a prompt in the base/ })
        .waitFor();
      assert.equal(
        await tab
          .locator("section")
          .getByText(/a prompt in the base/)
          .count(),
        0,
        "an empty form is no mistake",
      );
      await tab.getByLabel("Values of Steps").fill("4, 2000");
      const wrong = tab.locator("section").getByText(/an integer from 1 to 1000/);
      await wrong.waitFor();
      await tab.getByRole("heading", { level: 1 }).click();
      await tab.locator("aside").getByRole("button", { name: /1000/ }).click();
      await tab.waitForFunction(() => document.activeElement?.tagName === "INPUT");
      assert.equal(await tab.evaluate(() => document.activeElement?.value), "4, 2000");
      await tab.getByLabel("Values of Steps").fill("4, 200");
      await tab.getByRole("alert").filter({ hasText: "a prompt in the base" }).waitFor();
      await tab
        .locator("aside")
        .getByRole("button", { name: /a prompt in the base/ })
        .click();
      await tab.waitForFunction(() => document.activeElement?.tagName === "TEXTAREA");
      await checkAccessibility(tab);
      await tab.keyboard.type("a red circle");
      await tab.getByLabel("Values of Steps").fill("4, 8");
      await planSays(tab, "Cells", "4");
      assert.equal(await tab.getByRole("alert").count(), 0);
    },
    refused,
  );

  test(
    "drafts are saved, edited, cloned and kept by the browser",
    desktop,
    async ({ page }) => {
      const tab = await page("/experiments/new?example=steps");
      await tab.getByLabel("Name", { exact: true }).fill("A draft");
      await tab.keyboard.press("Control+s");
      await tab.waitForURL(/\/experiments\/[0-9a-f-]{36}\/edit$/);
      const id = tab.url().split("/").at(-2);
      assert.equal((await server.ask("GET", `/api/v1/experiments/${id}`)).status, "draft");
      await tab.waitForLoadState("networkidle");
      await tab.getByLabel("Values of Steps").fill("1, 2");
      await planSays(tab, "Cells", "8");
      await tab.getByRole("navigation").getByRole("link", { name: "Gallery" }).click();
      const ask = tab.getByRole("alertdialog", { name: "Leave without saving?" });
      await ask.waitFor();
      await checkAccessibility(tab);
      await ask.getByRole("button", { name: "Stay" }).click();
      assert.match(tab.url(), /edit$/);
      await tab.getByRole("navigation").getByRole("link", { name: "Gallery" }).click();
      await ask.getByRole("button", { name: "Leave", exact: true }).click();
      await tab.waitForURL("**/gallery");
      await tab.goto(`${server.url}/experiments/${id}/edit`);
      await tab.getByText(/Your unsaved changes of .* are back/).waitFor();
      assert.equal(await tab.getByLabel("Values of Steps").inputValue(), "1, 2");
      await tab.getByRole("button", { name: "Start afresh" }).click();
      assert.equal(await tab.getByLabel("Values of Steps").inputValue(), "4, 8, 12, 16, 24, 32");
      await tab.goto(`${server.url}/experiments/new?clone=${id}`);
      await tab.waitForFunction(() =>
        [...document.querySelectorAll("input")].some((one) => one.value === "A draft (copy)"),
      );
      await tab.getByRole("button", { name: "Save draft" }).click();
      await tab.waitForURL(/edit$/);
      const { items } = await server.ask("GET", "/api/v1/experiments?q=copy");
      assert.deepEqual(
        items.map((one) => one.name),
        ["A draft (copy)"],
      );
    },
    refused,
  );

  test(
    "JSON goes in and out, by file, by drop, by paste and as text",
    desktop,
    async ({ page }) => {
      const text = await readFile(join(examples, "constraints.json"), "utf8");
      const tab = await page("/experiments/new");
      await tab.getByRole("heading", { level: 1 }).waitFor();
      await tab.locator("input[type=file]").setInputFiles(join(examples, "constraints.json"));
      await planSays(tab, "Cells", "48");
      await planSays(tab, "Impossible", "6");
      assert.deepEqual(await jsonOf(tab), JSON.parse(text), "nothing is lost");
      const [saved] = await Promise.all([
        tab.waitForEvent("download"),
        tab.getByRole("button", { name: "Export JSON" }).click(),
      ]);
      assert.equal(saved.suggestedFilename(), "Two-models-under-their-own-rules.json");
      assert.deepEqual(JSON.parse(await readFile(await saved.path(), "utf8")), JSON.parse(text));

      const sweep = await readFile(join(examples, "sweep.json"), "utf8");
      await tab.evaluate((data) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([data], "sweep.json", { type: "application/json" }));
        const target = document.querySelector("section");
        for (const type of ["dragover", "drop"])
          target?.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: transfer }));
      }, sweep);
      await planSays(tab, "Cells", "108");
      await tab.evaluate(
        (data) => {
          const transfer = new DataTransfer();
          transfer.setData("text/plain", data);
          document.body.dispatchEvent(
            new ClipboardEvent("paste", { bubbles: true, cancelable: true, clipboardData: transfer }),
          );
        },
        JSON.stringify({
          name: "pasted",
          spec: { ...tiny, steps: [1, 2], replicates: { count: 1, seed: "SEED" } },
        }).replace('"SEED"', "18446744073709550000"),
      );
      await planSays(tab, "Cells", "2");
      assert.deepEqual(
        (await jsonOf(tab)).replicates,
        { count: 1, seed: "18446744073709550000" },
        "large seeds stay what they are",
      );

      await tab.keyboard.press("j");
      const area = tab.getByLabel("The experiment as JSON");
      const spec = JSON.parse(await area.inputValue());
      await area.fill(JSON.stringify({ ...spec, steps: [1, 2, 5000] }, null, 2));
      await tab.getByRole("button", { name: /^Line \d+: \/steps\/2 an integer from 1 to 1000/ }).waitFor();
      await area.fill('{\n  "version": 1,\n  "type": \n}');
      await tab.getByRole("button", { name: /^Line 4: Not JSON/ }).waitFor();
      await checkAccessibility(tab);
      await shoot(tab, "builder-json");
      await area.fill(JSON.stringify({ ...spec, steps: [1, 2, 3] }));
      await planSays(tab, "Cells", "3");
      await tab.getByRole("button", { name: "JSON", exact: true }).click();
      assert.equal(await tab.getByLabel("Values of Steps").inputValue(), "1, 2, 3");
      await tab
        .locator("input[type=file]")
        .setInputFiles({ name: "x.json", mimeType: "application/json", buffer: Buffer.from("[1]") });
      await tab.getByText("This is no experiment").waitFor();
    },
    refused,
  );

  test(
    "a picture's parameters begin an experiment",
    desktop,
    async ({ page }) => {
      const [drawn] = await server.draw({ prompt: "a yellow square", cfg_scale: 3, seed: 9 });
      const tab = await page(`/experiments/new?from=${drawn.id}`);
      await tab.getByLabel("One per line").filter({ hasText: "a yellow square" }).waitFor();
      await tab.getByLabel("Values of Steps").fill("2, 4");
      await planSays(tab, "Cells", "4");
      const { base } = await jsonOf(tab);
      assert.equal(base.cfg_scale, 3);
      assert.equal(base.seed, 9);
      assert.equal(base.width, 64);
    },
    refused,
  );

  test("the list shows runs as they go, filters, exports and takes deletions back", desktop, async ({ page }) => {
    await server.experiment({ ...tiny, steps: [1, 2, 3] }, "a finished sweep");
    const tab = await page("/experiments?q=sweep");
    const row = (name) => tab.getByRole("listitem").filter({ has: tab.getByRole("link", { name, exact: true }) });
    await row("a finished sweep").getByText("Completed").waitFor();
    await row("a finished sweep").getByRole("img").nth(2).waitFor();
    assert.equal(await tab.getByLabel("Search names").inputValue(), "sweep", "the address says what is searched");
    await checkAccessibility(tab);
    await tab.getByLabel("Status").selectOption("draft");
    await tab.waitForURL(/status=draft/);
    await tab.getByRole("heading", { name: "No experiment is like that" }).waitFor();
    await tab.getByRole("button", { name: "Clear the filter" }).click();
    await row("a finished sweep").waitFor();

    const spec = { ...tiny, steps: Array.from({ length: 60 }, (_, i) => i + 1) };
    await server.ask("POST", "/api/v1/experiments", { name: "a running one", spec, start: true });
    await tab.reload();
    await row("a running one").getByText("Completed").waitFor({ timeout: 60_000 });
    await row("a running one").getByRole("img").first().waitFor();
    await shoot(tab, "experiments-desktop");

    const menu = async (name, item) => {
      await tab.getByRole("button", { name: `Actions on ${name}` }).click();
      await tab.getByRole("menuitem", { name: item }).click();
    };
    const [saved] = await Promise.all([tab.waitForEvent("download"), menu("a finished sweep", "Export JSON")]);
    assert.deepEqual(JSON.parse(await readFile(await saved.path(), "utf8")).steps, [1, 2, 3]);
    await menu("a finished sweep", "Clone");
    await tab.waitForURL(/new\?clone=/);
    await tab.goto(`${server.url}/experiments`);
    await menu("a finished sweep", "Delete");
    await row("a finished sweep").waitFor({ state: "detached" });
    await tab.getByRole("button", { name: "Undo" }).click();
    await row("a finished sweep").waitFor();
    await tab.keyboard.press("Escape");
    await tab.getByRole("heading", { level: 1 }).click();
    await tab.keyboard.press("/");
    await tab.keyboard.type("running");
    await tab.waitForURL(/q=running/);
    await row("a finished sweep").waitFor({ state: "detached" });
  });

  test(
    "on a phone: one column, the plan as a bar that opens, a start under the thumb",
    phone,
    async ({ page }) => {
      const tab = await page("/experiments/new");
      await tab.getByLabel("One per line").fill("a red circle\na blue square");
      await tab.getByLabel("Values of Steps").fill("2, 4");
      const bar = tab.getByRole("button", { name: /^Plan 8 cells, 8 to draw/ });
      await bar.waitFor();
      const fits = async () => assert.equal(await tab.evaluate(() => document.documentElement.scrollWidth), 390);
      await fits();
      await checkAccessibility(tab);
      await shoot(tab, "builder-phone");
      await bar.tap();
      const sheet = tab.getByRole("dialog", { name: "Plan" });
      await sheet.getByRole("img", { name: /rows/ }).waitFor();
      await checkAccessibility(tab);
      await shoot(tab, "builder-phone-plan");
      await sheet.getByRole("button", { name: "Close" }).tap();
      await sheet.waitFor({ state: "hidden" });
      await tab.getByRole("button", { name: "Move Steps up" }).tap();
      await tab.getByRole("button", { name: "Start", exact: true }).tap();
      await tab.waitForURL(/\/experiments\/[0-9a-f-]{36}$/);
      await tab.goto(`${server.url}/experiments`);
      await tab
        .getByRole("link", { name: /Convergence/ })
        .or(tab.getByRole("list", { name: "Experiments" }))
        .first()
        .waitFor();
      await fits();
      await checkAccessibility(tab);
      await shoot(tab, "experiments-phone");
    },
    refused,
  );
});
