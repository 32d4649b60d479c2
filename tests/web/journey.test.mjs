// One experiment from the first keystroke to the train without a network, as a person goes through it: built, watched,
// arranged, sorted, zoomed, rated, compared, judged, taken along, read offline. On a desk and on a phone.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { desktop, phone, shoot, suite } from "./harness.mjs";

const prompts = ["a red circle", "a blue square", "a green triangle"];
// The builder is refused while one types; and the server is stopped at the end.
const allowed = /422 \(Unprocessable|Failed to load resource|WebSocket connection|ERR_|Failed to fetch/;

/** Three samplers, three prompts, four step counts. */
async function build(tab, press, name) {
  await press(tab.getByRole("link", { name: /New/ }).first());
  await tab.getByLabel("Name", { exact: true }).fill(name);
  await tab.getByLabel("One per line").fill(prompts.join("\n"));
  await press(tab.getByRole("button", { name: "Heun", exact: true }));
  await tab.getByLabel("Values of Steps").fill("1..4");
  await tab.getByRole("button", { name: "Remove 4" }).waitFor();
  for (const side of ["Width", "Height"])
    await tab
      .getByRole("textbox", { name: side })
      .or(tab.getByRole("spinbutton", { name: side }))
      .fill("64");
  await tab
    .getByText(/36 cells|^36$/)
    .first()
    .waitFor();
  await press(tab.getByRole("button", { name: "Start", exact: true }));
  await tab.waitForURL(/\/experiments\/[0-9a-f-]{36}$/);
  return tab.url().split("/").at(-1);
}

async function downloaded(tab, click) {
  const [file] = await Promise.all([tab.waitForEvent("download"), click()]);
  return { name: file.suggestedFilename(), bytes: await readFile(await file.path()) };
}

const drawn = (tab) => tab.locator("[role=grid] img");

suite("journey", ({ server, test }) => {
  test(
    "from the builder to the train",
    desktop,
    async ({ page }) => {
      const press = (what) => what.click();
      const tab = await page("/experiments");
      const id = await build(tab, press, "Three by three by four");

      // Watched until it ends, without a reload.
      await tab.getByText("Completed").first().waitFor({ timeout: 60_000 });
      await tab.getByText("36 done").waitFor();

      await press(tab.getByRole("link", { name: "Grid" }));
      const grid = tab.getByRole("grid", { name: "Comparison grid" });
      await grid.waitFor();
      await tab.getByLabel("Rows", { exact: true }).selectOption({ label: "Prompt" });
      await tab.getByLabel("Columns", { exact: true }).selectOption({ label: "Steps" });
      await tab.getByRole("columnheader", { name: "4", exact: true }).waitFor();
      await tab
        .getByRole("rowheader", { name: /a red circle/ })
        .first()
        .waitFor();
      await tab.getByRole("main").getByLabel("Sections", { exact: true }).selectOption({ label: "Sampler" });
      await tab
        .getByRole("rowheader", { name: /euler|heun|dpm|ddim/i })
        .first()
        .waitFor();
      await shoot(tab, "journey-grid");

      // Zoom: every picture shows the same part, larger.
      await press(tab.getByRole("button", { name: "Zoom and move all pictures together" }));
      await tab.keyboard.press("+");
      await tab.getByRole("button", { name: /Whole pictures/ }).waitFor();
      await tab.keyboard.press("0");
      await tab.getByRole("button", { name: /Whole pictures/ }).waitFor({ state: "hidden" });
      await press(tab.getByRole("button", { name: "Zoom and move all pictures together" }));

      // Rate two, favourite one, mark two to compare: all by keys.
      await grid.locator("[data-cell]").first().focus();
      await tab.keyboard.press("4");
      await tab.keyboard.press("c");
      await tab.keyboard.press("ArrowRight");
      await tab.keyboard.press("5");
      await tab.keyboard.press("f");
      await tab.keyboard.press("c");
      await press(tab.getByRole("button", { name: "Compare", exact: true }));
      await tab.getByRole("group", { name: /Picture B/ }).waitFor();
      for (const mode of ["Slider", "Flicker", "Difference", "Side by side"])
        await press(tab.getByRole("button", { name: mode, exact: true }));
      await tab.keyboard.press("Escape");
      await tab.getByRole("group", { name: /Picture B/ }).waitFor({ state: "hidden" });

      // Sorted by what was rated.
      await tab.getByLabel("Sort", { exact: true }).selectOption({ label: "Rating" });
      await tab.waitForTimeout(300);
      const { items } = await server.ask("GET", `/api/v1/generations?experiment_id=${id}&rating_min=4`);
      assert.deepEqual(items.map((one) => one.rating).sort(), [4, 5]);
      assert.equal(items.filter((one) => one.favourite).length, 1);

      // Taken along.
      await press(tab.getByRole("button", { name: "Export" }));
      const table = await downloaded(tab, () => tab.getByRole("menuitem", { name: "All cells (CSV)" }).click());
      assert.equal(table.bytes.toString().trim().split("\n").length, 37);

      await press(tab.getByRole("link", { name: "Analysis" }));
      await tab
        .getByText(/n = \d+|\d+ samples?|rests on/)
        .first()
        .waitFor({ timeout: 60_000 });

      await press(tab.getByRole("main").getByRole("link", { name: "Judge" }));
      await tab.getByRole("button", { name: "Picture A is better" }).waitFor();
      for (const key of ["ArrowLeft", "ArrowRight", "ArrowUp"]) {
        await tab.keyboard.press(key);
        await tab.waitForTimeout(100);
      }
      await tab.getByText(/^3 judged, /).waitFor();

      // The train: no server, and a reload.
      await tab.evaluate(() => navigator.serviceWorker.ready);
      await tab.goto(`${server.url}/experiments/${id}/grid`);
      await grid.waitFor();
      await tab.waitForLoadState("networkidle");
      await server.stop();
      await tab.reload();
      await grid.waitFor();
      await tab.waitForFunction(() => {
        const pictures = [...document.querySelectorAll("[role=grid] img")];
        return pictures.length > 3 && pictures.every((one) => one.complete && one.naturalWidth > 0);
      });
      await shoot(tab, "journey-offline");
      await server.start();
    },
    { allowed, timeout: 240_000 },
  );

  test(
    "the same with a thumb",
    phone,
    async ({ page }) => {
      const press = (what) => what.tap();
      const tab = await page("/experiments");
      const id = await build(tab, press, "On the way");
      await tab.getByText("Completed").first().waitFor({ timeout: 60_000 });
      await press(tab.getByRole("main").getByRole("link", { name: "Grid" }));
      await drawn(tab).first().waitFor();
      const width = () => tab.evaluate(() => document.documentElement.scrollWidth);
      assert.equal(await width(), 390);
      await press(drawn(tab).first());
      const detail = tab.getByRole("dialog");
      await press(detail.getByRole("button", { name: "5 stars" }));
      await press(detail.getByRole("button", { name: "Close" }));
      await detail.waitFor({ state: "hidden" });
      const { items } = await server.ask("GET", `/api/v1/generations?experiment_id=${id}&rating_min=5`);
      assert.equal(items.length, 1);
      await press(tab.getByRole("main").getByRole("link", { name: "Judge" }));
      await press(tab.getByRole("button", { name: "Picture A is better" }));
      await tab.getByText(/^1 judged, /).waitFor();
      assert.equal(await width(), 390);
      await shoot(tab, "journey-phone");
    },
    { allowed, timeout: 240_000 },
  );
});
