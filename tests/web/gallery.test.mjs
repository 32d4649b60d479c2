// The gallery and the detail view: find, choose, rate, tag, export, compare, delete and take it back; look closely.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { checkAccessibility, desktop, phone, shoot, small, suite } from "./harness.mjs";

const tiles = (tab) => tab.locator("[data-wall] button[data-id]");
const tile = (tab, words) => tab.getByRole("button", { name: words, exact: true });
const dialog = (tab) => tab.getByRole("dialog", { name: "Picture" });
const focused = (tab) => tab.evaluate(() => document.activeElement?.getAttribute("aria-label"));
const asked = (tab, part) => tab.waitForRequest((request) => request.url().includes(part));

async function until(check, what) {
  for (let tries = 0; tries < 100; tries++) {
    if (await check()) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  assert.fail(`never: ${what}`);
}

suite("gallery", ({ server, test }) => {
  test("an empty gallery teaches the next step", desktop, async ({ page }) => {
    const tab = await page("/gallery");
    await tab.getByRole("heading", { name: "No pictures yet" }).waitFor();
    await checkAccessibility(tab);
    await tab.getByRole("main").getByRole("link", { name: "Generate" }).click();
    await tab.getByRole("heading", { level: 1, name: "Generate" }).waitFor();
  });

  test("filters are chips in the address and survive a reload", desktop, async ({ page }) => {
    await server.draw({ prompt: "a red circle", seed: 1, sampler: "euler", tags: ["warm"] });
    await server.draw({ prompt: "a blue square", seed: 2, sampler: "heun", steps: 6, cfg_scale: 3 });
    await server.draw({ prompt: "a green star", seed: 3 });
    const tab = await page("/gallery");
    await tile(tab, "a green star, seed 3").waitFor();
    await checkAccessibility(tab);
    await tab.getByRole("button", { name: "Filters" }).click();
    await checkAccessibility(tab);
    await tab.getByLabel("Sampler").selectOption("heun");
    await until(async () => (await tiles(tab).count()) === 1, "one picture of heun");
    await tab.reload();
    await tile(tab, "a blue square, seed 2").waitFor();
    assert.equal(await tiles(tab).count(), 1);
    await tab.getByRole("button", { name: "Remove the filter Sampler heun" }).click();
    await until(async () => (await tiles(tab).count()) === 3, "all of them");
    for (const [filter, words] of [
      ["steps=6", "a blue square, seed 2"],
      ["cfg_scale=3", "a blue square, seed 2"],
      ["seed=3", "a green star, seed 3"],
      ["tag=warm", "a red circle, seed 1"],
      ["q=STAR", "a green star, seed 3"],
      ["status=succeeded&seed=1", "a red circle, seed 1"],
    ]) {
      await tab.goto(`${server.url}/gallery?${filter}`);
      await tile(tab, words).waitFor();
      assert.equal(await tiles(tab).count(), 1, filter);
    }
    await tab.goto(`${server.url}/gallery?created_after=2020-01-01&created_before=2020-01-02`);
    await tab.getByText("Nothing matches").waitFor();
    await checkAccessibility(tab);
    await tab.getByRole("main").getByRole("button", { name: "Clear filters" }).last().click();
    await tile(tab, "a green star, seed 3").waitFor();
  });

  test("search, order and size", desktop, async ({ page }) => {
    const tab = await page("/gallery");
    await tile(tab, "a green star, seed 3").waitFor();
    await tab.keyboard.press("/");
    await tab.keyboard.type("circle");
    await until(async () => (await tiles(tab).count()) === 1, "found by a word");
    assert.match(tab.url(), /q=circle/);
    await tab.getByLabel("Search the prompts").fill("");
    await until(async () => (await tiles(tab).count()) === 3, "all of them");
    await tab.getByLabel("Order").selectOption("created");
    await until(
      async () => (await tiles(tab).first().getAttribute("aria-label")).startsWith("a red circle"),
      "oldest first",
    );
    const width = async () => (await tiles(tab).first().boundingBox()).width;
    const before = await width();
    await tab.getByLabel("Size of the tiles").fill("320");
    await until(async () => (await width()) > before, "larger tiles");
  });

  test("the keyboard does everything", desktop, async ({ page }) => {
    const tab = await page("/gallery");
    await tile(tab, "a green star, seed 3").waitFor();
    await tab.keyboard.press("ArrowRight");
    await until(async () => (await focused(tab)) === "a green star, seed 3", "the first has the focus");
    await tab.keyboard.press("ArrowRight");
    await until(async () => (await focused(tab)) === "a blue square, seed 2", "the second has the focus");
    await tab.keyboard.press("4");
    await tab.keyboard.press("f");
    await until(async () => {
      const { items } = await server.ask("GET", "/api/v1/generations?seed=2");
      return items[0].rating === 4 && items[0].favourite;
    }, "rated and marked");
    await tab.keyboard.press("Enter");
    await dialog(tab).waitFor();
    await tab.keyboard.press("ArrowRight");
    await dialog(tab).getByText("3 / 3").waitFor();
    await tab.keyboard.press("Escape");
    await dialog(tab).waitFor({ state: "hidden" });
    await until(
      async () => (await focused(tab)) === "a red circle, seed 1",
      "the focus is back, on what was seen last",
    );
    await tab.keyboard.press(" ");
    await tab.getByText("1 chosen").waitFor();
    await tab.keyboard.press("Shift+ArrowLeft");
    await tab.getByText("2 chosen").waitFor();
    await tab.keyboard.press("Control+a");
    await tab.getByText("3 chosen").waitFor();
    await checkAccessibility(tab);
    await tab.keyboard.press("Escape");
    await tab.getByText("3 chosen").waitFor({ state: "hidden" });
    await tab.goto(`${server.url}/gallery?rating_min=4&favourite=true`);
    await tile(tab, "a blue square, seed 2").waitFor();
    assert.equal(await tiles(tab).count(), 1);
  });

  test("many at once: mark, rate, tag, export, compare, delete and undo", desktop, async ({ page }) => {
    const tab = await page("/gallery");
    await tile(tab, "a green star, seed 3").click({ modifiers: ["Control"] });
    await tile(tab, "a red circle, seed 1").click({ modifiers: ["Shift"] });
    await tab.getByText("3 chosen").waitFor();
    await shoot(tab, "gallery-selection");
    const bar = tab.getByRole("toolbar");
    await bar.getByRole("button", { name: "Favourite" }).click();
    await bar.getByRole("button", { name: "5 stars" }).click();
    await bar.getByRole("button", { name: "Tag", exact: true }).click();
    await bar.getByLabel("Add a tag").fill("keep");
    await bar.getByLabel("Add a tag").press("Enter");
    await checkAccessibility(tab);
    await until(async () => {
      const { items } = await server.ask("GET", "/api/v1/generations?tag=keep&favourite=true&rating_min=5");
      return items.length === 3;
    }, "all three are changed");

    const [file] = await Promise.all([
      tab.waitForEvent("download"),
      bar.getByRole("button", { name: "Export as ZIP" }).click(),
    ]);
    const bytes = await readFile(await file.path());
    assert.equal(bytes.subarray(0, 2).toString(), "PK");
    assert.ok(bytes.includes("recipes.json"));

    await bar.getByRole("button", { name: "Compare" }).click();
    await tab.waitForURL(/compare=[^&]+(,|%2C)/);
    assert.equal(new URL(tab.url()).searchParams.get("compare").split(",").length, 3);
    await tab.goto(`${server.url}/gallery`);

    await tile(tab, "a green star, seed 3").click({ modifiers: ["Control"] });
    await tile(tab, "a blue square, seed 2").click({ modifiers: ["Control"] });
    await tab.keyboard.press("x");
    await tab.getByText("2 pictures were deleted").waitFor();
    await until(async () => (await tiles(tab).count()) === 1, "two are gone");
    await tab.getByRole("button", { name: "Undo" }).click();
    await until(async () => (await tiles(tab).count()) === 3, "they are back");
  });

  test("new pictures come in at the top, and never move what is looked at", desktop, async ({ page }) => {
    await server.draw({ prompt: "many", seed: 1000, count: 60 });
    const tab = await page("/gallery");
    await tile(tab, "many, seed 1059").waitFor();
    await server.draw({ prompt: "a newcomer", seed: 11 });
    await tile(tab, "a newcomer, seed 11").waitFor();
    await tab.mouse.wheel(0, 1200);
    await until(async () => (await tab.evaluate(() => scrollY)) > 800, "scrolled");
    const seen = tiles(tab).nth(24);
    const words = await seen.getAttribute("aria-label");
    const before = await tile(tab, words).boundingBox();
    await server.draw({ prompt: "another newcomer", seed: 12 });
    const pill = tab.getByRole("button", { name: "1 new picture" });
    await pill.waitFor();
    await checkAccessibility(tab);
    assert.deepEqual(await tile(tab, words).boundingBox(), before, "nothing moved");
    await pill.click();
    await tile(tab, "another newcomer, seed 12").waitFor();
  });

  test("the wall is endless and keeps few elements", desktop, async ({ page }) => {
    for (let seed = 0; seed < 256; seed += 64) await server.draw({ prompt: "a long row", seed, count: 64 });
    const tab = await page("/gallery?q=long+row");
    await tile(tab, "a long row, seed 255").waitFor();
    const next = asked(tab, "cursor=");
    await until(async () => {
      await tab.mouse.wheel(0, 3000);
      return (await tab.getByText("256 pictures, that is all").count()) > 0;
    }, "the end");
    await next;
    assert.ok((await tiles(tab).count()) < 160, "rows far away are taken down");
    await tab.getByRole("button", { name: /Remove the filter/ }).waitFor();
  });

  test("the detail view: zoom, sequence, recipe, tags, rating, where to go on", desktop, async ({ page }) => {
    const [one] = await server.draw({ prompt: "look closely", seed: 501, negative_prompt: "grey" });
    await server.draw({ prompt: "look closely", seed: 502 });
    const tab = await page("/gallery?q=look+closely");
    await tile(tab, "look closely, seed 501").click();
    await dialog(tab).getByText("2 / 2").waitFor();
    const box = dialog(tab).getByRole("group", { name: /^Picture, zoom/ });
    const zoom = async () => Number(await box.locator("[data-zoom]").getAttribute("data-zoom"));
    await tab.keyboard.press("+");
    await until(async () => (await zoom()) === 1.5, "zoomed by a key");
    await tab.keyboard.press("0");
    await until(async () => (await zoom()) === 1, "the whole picture");
    const area = await box.boundingBox();
    await tab.mouse.move(area.x + 200, area.y + 200);
    await tab.mouse.wheel(0, -400);
    await until(async () => (await zoom()) > 1.5, "zoomed by the wheel");
    const left = () => box.locator("[data-zoom]").evaluate((element) => element.style.left);
    const at = await left();
    await tab.mouse.down();
    await tab.mouse.move(area.x + 260, area.y + 240, { steps: 3 });
    await tab.mouse.up();
    assert.notEqual(await left(), at, "panned");
    await tab.keyboard.press("0");
    await tab.mouse.dblclick(area.x + 200, area.y + 200);
    await until(async () => (await zoom()) === 3, "close up");
    await tab.mouse.dblclick(area.x + 200, area.y + 200);
    await until(async () => (await zoom()) === 1, "and out");
    await checkAccessibility(tab);
    await shoot(tab, "detail-desktop");

    await dialog(tab).getByRole("button", { name: "3 stars" }).click();
    await dialog(tab).getByRole("button", { name: "Favourite" }).click();
    await dialog(tab).getByLabel("Add a tag").fill("seen");
    await dialog(tab).getByLabel("Add a tag").press("Enter");
    await dialog(tab).getByRole("button", { name: "Remove the tag seen" }).waitFor();
    await until(async () => {
      const now = await server.ask("GET", `/api/v1/generations/${one.id}`);
      return now.rating === 3 && now.favourite && now.tags[0] === "seen";
    }, "the server knows");

    await tab.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await dialog(tab).getByRole("button", { name: "As text" }).click();
    await dialog(tab).getByText("Copied").waitFor();
    assert.match(
      await tab.evaluate(() => navigator.clipboard.readText()),
      /look closely\nNegative prompt: grey\nSteps: 4/,
    );
    await dialog(tab).getByRole("button", { name: "As JSON" }).click();
    await until(
      async () => (await tab.evaluate(() => navigator.clipboard.readText())).startsWith("{"),
      "JSON is copied",
    );

    await dialog(tab)
      .getByRole("button", { name: /Differs in: .*Seed/ })
      .first()
      .click();
    await dialog(tab).getByText("502").waitFor();
    await tab.keyboard.press("ArrowLeft");
    await dialog(tab).getByText("501", { exact: true }).waitFor();

    await dialog(tab).getByRole("button", { name: "Download" }).click();
    const [file] = await Promise.all([
      tab.waitForEvent("download"),
      dialog(tab).getByRole("menuitem", { name: "JPEG" }).click(),
    ]);
    assert.equal((await readFile(await file.path())).subarray(0, 2).toString("hex"), "ffd8");
    assert.equal(
      await dialog(tab).getByRole("link", { name: "Experiment from it" }).getAttribute("href"),
      `/experiments/new?from=${one.id}`,
    );
    await dialog(tab).getByRole("link", { name: "Reuse recipe" }).click();
    await tab.waitForFunction(() => document.querySelector("textarea")?.value === "look closely");
    await tab.getByRole("button", { name: "Keep the seed", pressed: true }).waitFor();
  });

  test("from the detail view: start image, vary, delete with undo", desktop, async ({ page }) => {
    const [one] = await server.draw({ prompt: "the last of its kind", seed: 601 });
    const tab = await page(`/gallery?q=its+kind&view=${one.id}`);
    await dialog(tab).getByRole("link", { name: "Use as start image" }).click();
    await tab.getByRole("img", { name: "Start image" }).waitFor();
    await tab.goto(`${server.url}/gallery?q=its+kind&view=${one.id}`);
    await dialog(tab).getByRole("button", { name: "Vary" }).click();
    await dialog(tab).getByRole("menuitem", { name: "Another seed" }).click();
    await tab.waitForURL((url) => url.pathname === "/");
    await tab.getByRole("main").getByRole("img", { name: "the last of its kind" }).first().waitFor();
    await tab.goto(`${server.url}/gallery?q=its+kind`);
    await tile(tab, "the last of its kind, seed 601").click();
    await dialog(tab).getByRole("button", { name: "Delete" }).click();
    await tab.getByText("The picture was deleted").waitFor();
    await until(async () => (await server.ask("GET", "/api/v1/generations?q=its+kind")).items.length === 1, "gone");
    await tab.getByRole("button", { name: "Undo" }).click();
    await until(async () => (await server.ask("GET", "/api/v1/generations?q=its+kind")).items.length === 2, "back");
    assert.ok(await dialog(tab).isVisible(), "the message is outside of the dialog and leaves it alone");
    await tab.keyboard.press("x");
    await until(
      async () => (await server.ask("GET", "/api/v1/generations?q=its+kind")).items.length === 1,
      "gone by a key",
    );
    await tab.keyboard.press("Control+z");
    await until(
      async () => (await server.ask("GET", "/api/v1/generations?q=its+kind")).items.length === 2,
      "back by a key",
    );
  });

  test("a failed one says why and is tried again; a cell leads to its experiment", desktop, async ({ page }) => {
    const made = await server.experiment(
      {
        version: 1,
        type: "parameter_sweep",
        base: { prompt: "cells", ...small, seed: 1 },
        axes: [{ parameter: "sampler", values: ["euler", "heun"] }],
      },
      "two samplers",
    );
    const tab = await page(`/gallery?experiment_id=${made.id}`);
    await tiles(tab).nth(1).waitFor();
    await tab.getByRole("button", { name: "Remove the filter Experiment two samplers" }).waitFor();
    await tiles(tab).first().click();
    const link = dialog(tab).getByRole("link", { name: "two samplers" });
    assert.equal(await link.getAttribute("href"), `/experiments/${made.id}`);
    await server.ask("POST", "/api/v1/queue/pause");
    const { generations } = await server.ask("POST", "/api/v1/generate", { prompt: "not yet", ...small });
    await server.ask("POST", `/api/v1/generations/${generations[0].id}/cancel`);
    await server.ask("POST", "/api/v1/queue/resume");
    await tab.goto(`${server.url}/gallery?view=${generations[0].id}`);
    await dialog(tab).getByRole("alert").getByText("Cancelled").waitFor();
    await checkAccessibility(tab);
    await dialog(tab).getByRole("button", { name: "Try again" }).click();
    await dialog(tab).getByRole("img", { name: "not yet" }).waitFor();
  });

  test(
    "a link to a picture that is gone says so",
    desktop,
    async ({ page }) => {
      const tab = await page("/gallery?view=0192f0c1-7b7a-7c1e-9a53-5d0c7f4f2b11");
      await dialog(tab).getByText("This picture cannot be shown").waitFor();
      await tab.keyboard.press("Escape");
      await dialog(tab).waitFor({ state: "hidden" });
    },
    { allowed: /404/ },
  );

  test("a phone: tap opens, swipe goes on, pinch zooms, a long press chooses", phone, async ({ page }) => {
    await server.draw({ prompt: "for the thumb", seed: 700, count: 3 });
    const tab = await page("/gallery?q=thumb");
    await tile(tab, "for the thumb, seed 702").waitFor();
    assert.equal(await tab.evaluate(() => document.documentElement.scrollWidth), 390);
    await checkAccessibility(tab);
    await shoot(tab, "gallery-phone");
    await tile(tab, "for the thumb, seed 702").tap();
    await dialog(tab).getByText("1 / 3").waitFor();
    const box = dialog(tab).getByRole("group", { name: /^Picture, zoom/ });
    const area = await box.boundingBox();
    const middle = { x: area.x + area.width / 2, y: area.y + area.height / 2 };
    const cdp = await tab.context().newCDPSession(tab);
    const touch = (type, points) =>
      cdp.send("Input.dispatchTouchEvent", { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) });
    await touch("touchStart", [[middle.x + 100, middle.y]]);
    for (const dx of [60, 20, -40, -100]) await touch("touchMove", [[middle.x + dx, middle.y]]);
    await touch("touchEnd", []);
    await dialog(tab).getByText("2 / 3").waitFor();
    await touch("touchStart", [
      [middle.x - 30, middle.y],
      [middle.x + 30, middle.y],
    ]);
    for (const d of [50, 70, 90])
      await touch("touchMove", [
        [middle.x - d, middle.y],
        [middle.x + d, middle.y],
      ]);
    await touch("touchEnd", []);
    await until(async () => Number(await box.locator("[data-zoom]").getAttribute("data-zoom")) > 2, "pinched");
    await checkAccessibility(tab);
    await shoot(tab, "detail-phone");
    assert.equal(await tab.evaluate(() => document.documentElement.scrollWidth), 390);
    await dialog(tab).getByRole("button", { name: "Close" }).tap();
    await dialog(tab).waitFor({ state: "hidden" });

    const place = await tile(tab, "for the thumb, seed 701").boundingBox();
    await touch("touchStart", [[place.x + 60, place.y + 60]]);
    await tab.getByText("1 chosen").waitFor();
    await touch("touchEnd", []);
    await tile(tab, "for the thumb, seed 700").tap();
    await tab.getByText("2 chosen").waitFor();
    await tab.getByRole("button", { name: "Choose all 3" }).tap();
    await tab.getByText("3 chosen").waitFor();
    await checkAccessibility(tab);
    await shoot(tab, "gallery-phone-selection");
    await tab.getByRole("toolbar").getByRole("button", { name: "Choose none" }).tap();
    await tab
      .getByRole("button", { name: "Filters (0)" })
      .or(tab.getByRole("button", { name: "Filters", exact: true }))
      .tap();
    await tab.getByRole("dialog", { name: "Filters" }).getByLabel("Steps").waitFor();
    await checkAccessibility(tab);
  });

  test("in the dark", desktop, async ({ page, open }) => {
    const tab = await page("/gallery", await open({ colorScheme: "dark" }));
    await tiles(tab).first().waitFor();
    await checkAccessibility(tab);
    await shoot(tab, "gallery-dark");
    await tiles(tab).first().click();
    await dialog(tab).getByRole("heading", { name: "Similar recipes" }).waitFor();
    await checkAccessibility(tab);
  });
});
