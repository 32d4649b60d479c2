// Two to four pictures against each other.
import assert from "node:assert/strict";
import { checkAccessibility, desktop, phone, shoot, suite } from "./harness.mjs";

suite("compare", ({ server, test }) => {
  let made;
  /** Four pictures of an experiment, the last of another size. */
  const address = async (count = 3) => {
    made ??= await server.experiment(
      {
        version: 1,
        type: "parameter_sweep",
        base: { model: "demo", prompt: "a red circle left of a blue square", cfg_scale: 4, height: 64 },
        steps: [2, 4, 8],
        parameters: { width: [64, 128] },
      },
      "Steps and sizes",
    );
    const { items } = await server.ask("GET", `/api/v1/experiments/${made.id}/grid`);
    const square = items.filter((one) => one.width === 64);
    const wide = items.find((one) => one.width === 128);
    const ids = [...square, wide].slice(0, count).map((one) => one.id);
    return `/experiments/${made.id}/grid?compare=${ids.join(",")}`;
  };
  const panes = (tab) => tab.getByRole("group", { name: /^Picture/ });
  const names = (tab) => panes(tab).evaluateAll((all) => all.map((one) => one.getAttribute("aria-label").slice(8, 9)));

  test("side by side, with one zoom, in an order that arrows change", desktop, async ({ page }) => {
    const tab = await page(await address());
    await panes(tab).nth(2).waitFor();
    assert.deepEqual(await names(tab), ["A", "B", "C"]);
    const box = await panes(tab).first().boundingBox();
    await tab.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await tab.mouse.wheel(0, -240);
    await tab.waitForFunction(() =>
      [...document.querySelectorAll("[data-pane] img")].every((one) => /scale\(2\)/.test(one.style.transform)),
    );
    const transform = () => tab.evaluate(() => document.querySelector("[data-pane] img").style.transform);
    const before = await transform();
    await tab.mouse.down();
    await tab.mouse.move(box.x + box.width / 2 + 30, box.y + box.height / 2, { steps: 3 });
    await tab.mouse.up();
    assert.notEqual(await transform(), before, "dragging moves");
    await tab.keyboard.press("0");
    await tab.keyboard.press("ArrowRight");
    assert.deepEqual(await names(tab), ["B", "C", "A"]);
    await tab.keyboard.press("ArrowLeft");
    assert.deepEqual(await names(tab), ["A", "B", "C"]);
    await tab.getByRole("row", { name: /^Steps \(differs\) 2 4 8/ }).waitFor();
    await checkAccessibility(tab);
    await shoot(tab, "compare-side");
    await tab.keyboard.press("Escape");
    await tab.waitForURL((url) => !url.searchParams.has("compare"));
    await tab.getByRole("grid").waitFor();
  });

  test("slider, flicker and difference have keys", desktop, async ({ page }) => {
    const tab = await page(await address(2));
    await panes(tab).nth(1).waitFor();
    await tab.keyboard.press("2");
    const handle = tab.getByRole("slider", { name: /Where A ends/ });
    await handle.focus();
    await tab.keyboard.press("ArrowLeft");
    assert.equal(await handle.getAttribute("aria-valuenow"), "48");
    const box = await handle.boundingBox();
    await tab.mouse.move(box.x + box.width / 2, box.y + 100);
    await tab.mouse.down();
    await tab.mouse.move(box.x + box.width / 2 + 100, box.y + 100, { steps: 3 });
    await tab.mouse.up();
    assert.ok(Number(await handle.getAttribute("aria-valuenow")) > 52);
    await checkAccessibility(tab);
    await shoot(tab, "compare-slider");
    await tab.keyboard.press("b");
    await tab.getByText("A is shown").waitFor();
    await tab.locator("[data-compare-area]").click();
    await tab.evaluate(() => document.activeElement?.blur());
    await tab.keyboard.press(" ");
    await tab.getByText("B is shown").waitFor();
    await tab.getByRole("button", { name: "Automatic" }).click();
    await tab.getByText("A is shown").waitFor();
    await checkAccessibility(tab);
    await tab.keyboard.press("d");
    await tab.getByText("Changed pixels").waitFor();
    const numbers = await tab.locator("[data-numbers]").innerText();
    assert.match(numbers, /Mean difference\s+[\d.]+ of 255/);
    assert.match(numbers, /Changed pixels\s+[\d.]+ %/);
    const heat = () => tab.locator("canvas").evaluate((one) => one.toDataURL());
    const weak = await heat();
    await tab.getByLabel("Amplified").fill("32");
    await tab.getByText("32 times").waitFor();
    await tab.waitForFunction((old) => document.querySelector("canvas").toDataURL() !== old, weak);
    await checkAccessibility(tab);
    await shoot(tab, "compare-difference");
  });

  test(
    "pictures of different sizes are scaled into the same box, and equal ones are called so",
    desktop,
    async ({ page }) => {
      const tab = await page(await address(4));
      await tab.getByRole("note").getByText("64 × 64, 64 × 64, 64 × 64, 128 × 64").waitFor();
      assert.equal(await panes(tab).count(), 4);
      await checkAccessibility(tab);
      const [first] = new URL(tab.url()).searchParams.get("compare").split(",");
      await tab.goto(`${server.url}/experiments/${made.id}/grid?compare=${first},${first}`);
      await tab.getByRole("button", { name: "Difference" }).click();
      await tab.getByText("The pictures are the same, pixel by pixel.").waitFor();
    },
  );

  test("marks of the grid lead here", desktop, async ({ page }) => {
    const tab = await page((await address()).split("?")[0]);
    await tab.getByRole("grid").getByRole("button").first().focus();
    for (const key of ["ArrowRight", "c", "ArrowRight", "c"]) await tab.keyboard.press(key);
    await tab.locator("[data-foot]").getByRole("button", { name: /^1: / }).waitFor();
    await tab.keyboard.press("Shift+C");
    await panes(tab).nth(1).waitFor();
    assert.equal(new URL(tab.url()).searchParams.get("compare").split(",").length, 2);
  });

  test("a finger does all of it", phone, async ({ page }) => {
    const tab = await page(await address(2));
    await panes(tab).nth(1).waitFor();
    assert.equal(await tab.evaluate(() => document.documentElement.scrollWidth), 390);
    const box = await panes(tab).first().boundingBox();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const cdp = await tab.context().newCDPSession(tab);
    const fingers = (type, ...points) =>
      cdp.send("Input.dispatchTouchEvent", { type, touchPoints: points.map(([px, py], id) => ({ x: px, y: py, id })) });
    await fingers("touchStart", [x - 20, y], [x + 20, y]);
    await fingers("touchMove", [x - 30, y], [x + 30, y]);
    await fingers("touchMove", [x - 40, y], [x + 40, y]);
    await fingers("touchEnd");
    await tab.getByRole("button", { name: /\d x/ }).waitFor();
    await checkAccessibility(tab);
    await shoot(tab, "compare-phone");
    await tab.getByRole("button", { name: "Slider" }).tap();
    const handle = tab.getByRole("slider", { name: /Where A ends/ });
    const at = await handle.boundingBox();
    await fingers("touchStart", [at.x + 22, at.y + 60]);
    await fingers("touchMove", [at.x - 30, at.y + 60]);
    await fingers("touchMove", [at.x - 60, at.y + 60]);
    await fingers("touchEnd");
    assert.ok(Number(await handle.getAttribute("aria-valuenow")) < 45);
    await tab.getByRole("button", { name: "Flicker" }).tap();
    await tab.getByRole("button", { name: "Show the other one" }).tap();
    await tab.getByText("B is shown").waitFor();
    await tab.getByRole("button", { name: "Difference" }).tap();
    await tab.getByText("Largest difference").waitFor();
    await tab.getByRole("button", { name: "Close" }).tap();
    await tab.waitForURL((url) => !url.searchParams.has("compare"));
  });
});
