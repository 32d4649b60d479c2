// The frame of the app: navigation, keys, theme, wrong addresses.
import assert from "node:assert/strict";
import { checkAccessibility, desktop, phone, shoot, suite } from "./harness.mjs";

suite("frame", ({ test }) => {
  test("every section opens from the navigation", desktop, async ({ page }) => {
    const tab = await page("/");
    for (const name of [
      "Experiments",
      "Judge",
      "Gallery",
      "Queue",
      "Models",
      "System",
      "People",
      "Settings",
      "Generate",
    ]) {
      await tab.getByRole("navigation").getByRole("link", { name }).click();
      await tab.getByRole("heading", { level: 1 }).waitFor();
    }
    assert.equal(new URL(tab.url()).pathname, "/");
    await checkAccessibility(tab);
    await shoot(tab, "frame-desktop");
  });

  test("a phone has a bar at its foot and the rest under More", phone, async ({ page }) => {
    const tab = await page("/");
    await tab.getByRole("navigation").getByRole("link", { name: "Gallery" }).tap();
    await tab.waitForURL("**/gallery");
    await tab.getByRole("button", { name: "More" }).tap();
    await tab.getByRole("menuitem", { name: "Settings" }).tap();
    await tab.waitForURL("**/settings");
    const width = await tab.evaluate(() => document.documentElement.scrollWidth);
    assert.equal(width, 390, "nothing is wider than the screen");
    await checkAccessibility(tab);
    await shoot(tab, "frame-phone");
  });

  test("keys lead everywhere and ? lists them", desktop, async ({ page }) => {
    const tab = await page("/");
    await tab.getByRole("heading", { level: 1 }).waitFor();
    await tab.keyboard.press("g");
    await tab.keyboard.press("q");
    await tab.waitForURL("**/queue");
    await tab.keyboard.press("?");
    await tab.getByRole("dialog").getByText("Go to Gallery").waitFor();
    await tab.keyboard.press("Escape");
    await tab.getByRole("dialog").waitFor({ state: "hidden" });
    const dark = () => tab.evaluate(() => document.documentElement.classList.contains("dark"));
    const before = await dark();
    await tab.keyboard.press("Shift+D");
    assert.equal(await dark(), !before);
    await tab.reload();
    await tab.getByRole("heading", { level: 1 }).waitFor();
    assert.equal(await dark(), !before, "the choice is kept");
    await checkAccessibility(tab);
  });

  test("a wrong address says so", desktop, async ({ page }) => {
    const tab = await page("/nowhere");
    await tab.getByRole("heading", { level: 1, name: "There is no page at this address." }).waitFor();
    await checkAccessibility(tab);
  });
});
