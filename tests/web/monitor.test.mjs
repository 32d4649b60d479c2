// The page of an experiment and the progress of its run: live, through a cut connection and a reload; failures, runs,
// names, deletions taken back.
import assert from "node:assert/strict";
import { checkAccessibility, desktop, phone, shoot, small, suite } from "./harness.mjs";

const spec = (more = {}) => ({
  version: 1,
  type: "convergence",
  base: { model: "demo", cfg_scale: 4, ...small, steps: undefined },
  prompts: ["a red circle"],
  samplers: ["euler", "ddim"],
  steps: [2, 4, 8],
  ...more,
});
/** Long enough to be watched: other prompts each time, so that nothing is there before. */
const long = (count) =>
  spec({
    base: { model: "demo", width: 128, height: 128 },
    prompts: [`a red circle left of ${crypto.randomUUID()}`],
    samplers: ["euler", "heun", "ddim"],
    steps: [10, 20, 30],
    replicates: { count },
  });
const start = (server, body, name) => server.ask("POST", "/api/v1/experiments", { name, spec: body, start: true });
const network = /ERR_INTERNET_DISCONNECTED|ERR_FAILED|WebSocket|Failed to load/;

const status = (tab, word) => tab.getByText(word, { exact: true }).first().waitFor({ timeout: 60_000 });

suite("monitor", ({ server, test }) => {
  for (const device of [desktop, phone])
    test(
      "a run is watched to its end through a cut connection and a reload",
      device,
      async ({ page, open }) => {
        const { id } = await start(server, long(4), "Watched");
        const context = await open();
        const tab = await page(`/experiments/${id}`, context);
        await tab.getByRole("heading", { level: 1, name: "Watched" }).waitFor();
        await tab.getByText(/^[1-9]\d* done$/).waitFor({ timeout: 30_000 });
        await tab.waitForFunction(() => /^\d+ % · Watched/.test(document.title));
        await context.setOffline(true);
        await tab
          .getByText(/No connection|Connection lost/)
          .first()
          .waitFor();
        await tab.waitForTimeout(1000);
        await context.setOffline(false);
        await tab
          .getByText(/No connection|Connection lost/)
          .first()
          .waitFor({ state: "hidden", timeout: 30_000 });
        await tab.reload();
        await tab.getByRole("progressbar").waitFor();
        await checkAccessibility(tab);
        await status(tab, "Completed");
        await tab.getByText("36 done", { exact: true }).waitFor();
        // What the page has of each cell came by events and by questions; nothing is missing and nothing is twice.
        const run = await server.ask("GET", `/api/v1/experiments/${id}`);
        assert.equal(run.run.completed, 36);
        const grid = tab.getByRole("grid");
        assert.equal(await grid.getAttribute("aria-colcount"), "6");
        await tab.getByText("All 36 cells are drawn.", { exact: false }).waitFor();
        assert.ok(
          await tab.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
          "nothing is wider than the screen",
        );
        await checkAccessibility(tab);
        await shoot(tab, `monitor-${device.name}`);
      },
      { allowed: network },
    );

  test("the cells show as done without a word of the server's that they lost", desktop, async ({ page, open }) => {
    const { id } = await start(server, long(3), "Lost events");
    const context = await open();
    // Cell events never arrive: only the counters tell.
    await context.addInitScript(() => {
      const { WebSocket: Real } = window;
      window.WebSocket = class extends Real {
        set onmessage(handler) {
          super.onmessage = (event) => /:cell"/.test(String(event.data)) || handler(event);
        }
      };
    });
    const tab = await page(`/experiments/${id}`, context);
    await status(tab, "Completed");
    const grid = tab.getByRole("grid");
    await grid.focus();
    await tab.keyboard.press("End");
    await tab.locator('[role="gridcell"]').filter({ hasText: "Done" }).waitFor({ state: "attached", timeout: 20_000 });
  });

  test("it works when nothing but polling gets through", desktop, async ({ page, open }) => {
    const context = await open();
    await context.addInitScript(() => {
      window.WebSocket = undefined;
    });
    const { id } = await start(server, long(2), "Polling");
    const tab = await page(`/experiments/${id}`, context);
    await status(tab, "Completed");
    await tab.getByText("18 done", { exact: true }).waitFor();
  });

  test(
    "it asks when events are away, and says so",
    phone,
    async ({ page, open }) => {
      const context = await open();
      await context.route("**/socket.io/**", (route) => route.abort());
      const { id } = await start(server, long(3), "Away");
      const tab = await page(`/experiments/${id}`, context);
      await tab.getByText("Live events do not arrive at present.", { exact: false }).waitFor();
      await checkAccessibility(tab);
      await status(tab, "Completed");
      await tab.getByText("27 done", { exact: true }).waitFor();
    },
    { allowed: network },
  );

  test("pause, resume, cancel, and what is cancelled is drawn again", desktop, async ({ page }) => {
    const { id } = await start(server, long(12), "Stopped");
    const tab = await page(`/experiments/${id}`);
    await tab.getByRole("button", { name: "Pause" }).click();
    await tab.getByRole("button", { name: "Resume" }).waitFor();
    await status(tab, "Paused");
    await tab.keyboard.press(" ");
    await tab.getByRole("button", { name: "Pause" }).waitFor();
    await tab.getByRole("button", { name: "Cancel" }).click();
    await status(tab, "Cancelled");
    const notDrawn = tab.getByRole("region", { name: "Not drawn" });
    await notDrawn.getByRole("button", { name: /Cancelled/ }).waitFor();
    await checkAccessibility(tab);
    await notDrawn.getByRole("button", { name: /Cancelled/ }).click();
    // What was on its way when the run was cancelled may still end: the count is taken after that.
    await tab.waitForTimeout(1000);
    const { run } = await server.ask("GET", `/api/v1/experiments/${id}`);
    await notDrawn
      .getByRole("button", { name: /^Try again: / })
      .first()
      .click();
    await tab.getByText(`${run.completed + 1} done`, { exact: true }).waitFor({ timeout: 30_000 });
  });

  test("impossible cells say why, and a cell opens", desktop, async ({ page }) => {
    const body = spec({
      constraints: [{ where: { sampler: "ddim" }, require: { steps: { max: 4 } }, reason: "too slow to be worth it" }],
    });
    const { id } = await server.experiment(body, "Impossible");
    const tab = await page(`/experiments/${id}`);
    const region = tab.getByRole("region", { name: "Not drawn" });
    await region.getByText("too slow to be worth it").click();
    await region.getByRole("button", { name: /Sampler ddim, Steps 8/ }).waitFor();
    await tab.getByRole("grid").focus();
    await tab.keyboard.press("ArrowRight");
    await tab.keyboard.press("Enter");
    await tab.waitForURL(/view=/);
    await tab.getByRole("dialog").waitFor();
  });

  test(
    "name, clone, extend, runs compared, deleted and had back",
    desktop,
    async ({ page }) => {
      const { id } = await server.experiment(spec(), "First name");
      const tab = await page(`/experiments/${id}`);
      await tab.getByRole("button", { name: "Rename" }).click();
      await tab.getByRole("textbox", { name: "Name of the experiment" }).fill("Second name");
      await tab.keyboard.press("Enter");
      await tab.getByRole("heading", { level: 1, name: "Second name" }).waitFor();
      assert.equal((await server.ask("GET", `/api/v1/experiments/${id}`)).name, "Second name");

      const more = tab.getByRole("button", { name: "More actions" });
      await more.click();
      await tab.getByRole("menuitem", { name: "Extend" }).click();
      const dialog = tab.getByRole("dialog");
      await dialog.getByLabel("More of: Steps").fill("nonsense");
      await dialog.getByRole("button", { name: "Draw the new cells" }).click();
      await dialog.getByRole("alert").waitFor();
      await checkAccessibility(tab);
      await dialog.getByLabel("More of: Steps").fill("6");
      await dialog.getByRole("button", { name: "Draw the new cells" }).click();
      await dialog.waitFor({ state: "hidden" });
      await tab.getByText("8 done", { exact: true }).waitFor({ timeout: 30_000 });

      assert.equal(
        await tab.getByRole("grid").getAttribute("aria-colcount"),
        "4",
        "the new value is in the picture of the grid",
      );

      await tab.getByRole("button", { name: "Run again" }).click();
      await tab.getByLabel("Run", { exact: true }).waitFor();
      await tab.getByText("8 of them were there before").waitFor({ timeout: 30_000 });
      await more.click();
      await tab.getByRole("menuitem", { name: "Compare two runs" }).click();
      await dialog.getByText("8 identical, 0 different, 0 in one run only").waitFor();
      await dialog.getByRole("button", { name: "Show identical ones too" }).click();
      await dialog.getByRole("img").first().waitFor();
      await checkAccessibility(tab);
      await tab.keyboard.press("Escape");

      await tab.getByLabel("Run", { exact: true }).selectOption({ index: 1 });
      await tab.waitForURL(/run=1/);
      await tab.getByText("8 done", { exact: true }).waitFor();

      await more.click();
      const csv = await Promise.all([tab.waitForEvent("download"), tab.getByRole("menuitem", { name: /CSV/ }).click()]);
      assert.match(csv[0].suggestedFilename(), /\.csv$/);

      await more.click();
      await tab.getByRole("menuitem", { name: "Delete, keep the pictures" }).click();
      await tab.waitForURL("**/experiments");
      await tab.getByRole("button", { name: "Undo" }).click();
      await tab.waitForURL(`**/experiments/${id}`);
      await tab.getByRole("heading", { level: 1, name: "Second name" }).waitFor();

      await more.click();
      await tab.getByRole("menuitem", { name: "Clone" }).click();
      await tab.waitForURL(/\/experiments\/[^/]+\/edit/);
      assert.ok(!tab.url().includes(id));
    },
    { allowed: /422/ },
  );

  test("a draft says what a start would do, and starts", phone, async ({ page }) => {
    const { id } = await server.ask("POST", "/api/v1/experiments", {
      name: "Draft",
      spec: spec({ prompts: ["a blue square"] }),
    });
    const tab = await page(`/experiments/${id}`);
    await tab.getByText("6 cells.", { exact: false }).waitFor();
    await checkAccessibility(tab);
    await tab.getByRole("button", { name: "Start" }).last().tap();
    await status(tab, "Completed");
    await tab.getByText("6 done", { exact: true }).waitFor();
    for (const [name, path] of [
      ["Grid", "grid"],
      ["Analysis", "analysis"],
      ["Judge", "judge"],
      ["Progress", ""],
    ]) {
      await tab.getByRole("navigation", { name: "Of this experiment" }).getByRole("link", { name }).tap();
      await tab.waitForURL(new RegExp(`${id}/?${path}$`));
    }
  });

  test(
    "an experiment that is not there says so",
    desktop,
    async ({ page }) => {
      const tab = await page("/experiments/0192f0c1-7b7a-7c1e-9a53-5d0c7f4f2b11");
      await tab.getByRole("heading", { level: 1, name: "There is no such experiment, or it was deleted" }).waitFor();
      await checkAccessibility(tab);
    },
    { allowed: /404/ },
  );
});
