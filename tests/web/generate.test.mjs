// Generate: a prompt becomes a picture before one's eyes; recipes come back out of pictures, the history and addresses.
import assert from "node:assert/strict";
import { checkAccessibility, desktop, phone, shoot, small, suite } from "./harness.mjs";

const field = (tab, name) => tab.getByLabel(name, { exact: true });
const prompt = (tab) => field(tab, "Prompt");
const generate = (tab) => tab.getByRole("main").getByRole("button", { name: "Generate", exact: true });

/** A tab whose form is set to small and quick pictures, as a visitor left it. */
async function studio(page, open, draft = {}, address = "/", more = {}) {
  const context = await open();
  const state = { draft: { ...small, ...draft }, count: 1, shown: [], ...more };
  await context.addInitScript(
    (value) => {
      if (location.protocol !== "http:") return;
      if (!sessionStorage.getItem("seeded")) localStorage.setItem("cauldron-generate", value);
      sessionStorage.setItem("seeded", "1");
    },
    JSON.stringify({ state, version: 1 }),
  );
  const tab = await page(address, context);
  await prompt(tab).waitFor();
  return tab;
}

const picture = (tab, words) => tab.getByRole("main").getByRole("img", { name: words }).first();

/** A file as the server would give it to a person who saves the picture. */
async function fileOf(server, generation, format) {
  const response = await fetch(`${server.url}/api/v1/generations/${generation.id}/image?format=${format}`);
  return { name: `picture.${format}`, mimeType: `image/${format}`, buffer: Buffer.from(await response.arrayBuffer()) };
}

/** A picture that no program wrote a recipe into. */
const plainPng = (tab) =>
  tab.evaluate(async () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 64 });
    const context = canvas.getContext("2d");
    context.fillStyle = "#3060c0";
    context.fillRect(0, 0, 64, 64);
    context.fillStyle = "#fff";
    context.fillRect(16, 16, 32, 32);
    return canvas.toDataURL("image/png").split(",")[1];
  });

const fits = async (tab, width) =>
  assert.equal(
    await tab.evaluate(() => document.documentElement.scrollWidth),
    width,
    "nothing is wider than the screen",
  );

suite("generate", ({ server, test }) => {
  test("a prompt becomes a picture with Ctrl+Enter, and stays after a reload", desktop, async ({ page, open }) => {
    const tab = await studio(page, open);
    await tab.getByRole("heading", { name: "Your pictures appear here" }).waitFor();
    await checkAccessibility(tab);
    await prompt(tab).fill("a red circle");
    await prompt(tab).press("Control+Enter");
    await picture(tab, "a red circle").waitFor();
    await tab.getByText("4 steps").waitFor();
    await checkAccessibility(tab);
    await shoot(tab, "generate-desktop");
    await field(tab, "CFG scale").fill("3.5");
    await tab.reload();
    await picture(tab, "a red circle").waitFor();
    assert.equal(await prompt(tab).inputValue(), "a red circle");
    assert.equal(await field(tab, "CFG scale").inputValue(), "3.5");
  });

  test("an empty prompt is asked for; an example helps", desktop, async ({ page, open }) => {
    const tab = await studio(page, open);
    await generate(tab).click();
    await tab.getByText("Write what you want to see first.").waitFor();
    await tab.getByRole("button", { name: "a large blue circle" }).click();
    assert.equal(await prompt(tab).inputValue(), "a large blue circle");
    await tab.keyboard.press("Control+Enter");
    await picture(tab, "a large blue circle").waitFor();
  });

  test("each step is shown, with a preview, and can be cancelled and tried again", desktop, async ({ page, open }) => {
    const tab = await studio(page, open, { prompt: "a slow circle", steps: 900, width: 128, height: 128 });
    await generate(tab).click();
    await tab.getByText(/Step \d+ of 900/).waitFor();
    await tab.locator('img[src^="blob:"]').waitFor();
    await checkAccessibility(tab);
    await tab.getByRole("main").getByRole("button", { name: "Cancel" }).click();
    await tab.getByText("Cancelled").first().waitFor();
    await tab.getByRole("button", { name: "Try again" }).click();
    await tab.getByText(/Step \d+ of 900/).waitFor();
    await tab.getByRole("main").getByRole("button", { name: "Cancel" }).click();
    await tab.getByText("Cancelled").first().waitFor();
  });

  test("who waits sees the place in the queue", desktop, async ({ page, open }) => {
    await server.ask("POST", "/api/v1/queue/pause");
    try {
      const tab = await studio(page, open, { prompt: "a patient star" }, "/", { count: 2 });
      await generate(tab).click();
      await tab.getByText("1 picture before it").waitFor();
      await tab.getByText("Next in line").waitFor();
      await server.ask("POST", "/api/v1/queue/resume");
      await picture(tab, "a patient star").waitFor();
    } finally {
      await server.ask("POST", "/api/v1/queue/resume");
    }
  });

  test("only legal combinations of sampler and schedule can be chosen", desktop, async ({ page, open }) => {
    const tab = await studio(page, open, { prompt: "a yellow star" });
    const schedules = () => field(tab, "Schedule").locator("option").allTextContents();
    await field(tab, "Sampler").selectOption("dpmpp_2m");
    assert.ok((await schedules()).includes("Karras"));
    await field(tab, "Schedule").selectOption("karras");
    await field(tab, "Sampler").selectOption("ddim");
    assert.ok(!(await schedules()).includes("Karras"), "ddim does not take it");
    await tab.getByText("does not go with this sampler").waitFor();
    await generate(tab).click();
    await picture(tab, "a yellow star").waitFor();
  });

  test(
    "what is wrong is said beside the field",
    desktop,
    async ({ page, open }) => {
      const tab = await studio(page, open, { prompt: "a yellow star" });
      await field(tab, "Steps").fill("5000");
      await field(tab, "Width").fill("65");
      await generate(tab).click();
      const steps = field(tab, "Steps");
      await tab.getByRole("alert").getByText("an integer from 1 to 1000").first().waitFor();
      assert.equal(await steps.getAttribute("aria-invalid"), "true");
      assert.equal(await field(tab, "Width").getAttribute("aria-invalid"), "true");
      await checkAccessibility(tab);
      await steps.fill("4");
      await field(tab, "Width").fill("64");
      await generate(tab).click();
      await picture(tab, "a yellow star").waitFor();
      assert.equal(await steps.getAttribute("aria-invalid"), null);
    },
    { allowed: /422/ },
  );

  test(
    "a model that is not installed: the others by name, and the command",
    desktop,
    async ({ page, open }) => {
      const tab = await studio(page, open, { prompt: "a red square", model: "stable-elsewhere" });
      await generate(tab).click();
      await tab.getByText("cauldron models pull stable-elsewhere", { exact: true }).waitFor();
      await checkAccessibility(tab);
      await tab.getByRole("button", { name: "Use demo", exact: true }).click();
      await generate(tab).click();
      await picture(tab, "a red square").waitFor();
    },
    { allowed: /404/ },
  );

  test("several at once stand in a grid; one is chosen and opened", desktop, async ({ page, open }) => {
    const tab = await studio(page, open, { prompt: "blue squares", seed: 100 });
    await field(tab, "How many pictures").selectOption("4");
    await generate(tab).click();
    const tiles = tab.getByRole("button", { name: "Choose: blue squares" });
    await tiles.nth(3).waitFor();
    await tiles.nth(2).click();
    await tab.getByText("seed 102").waitFor();
    await checkAccessibility(tab);
    await shoot(tab, "generate-four");
    await tab.getByRole("main").getByRole("button", { name: "Open large" }).click();
    await tab.getByRole("dialog").getByText("3 / 4").waitFor();
  });

  test(
    "the seed is kept by the lock and thrown by the dice; shapes and swap set the size",
    desktop,
    async ({ page, open }) => {
      const tab = await studio(page, open, { prompt: "a green circle", seed: undefined });
      await generate(tab).click();
      await picture(tab, "a green circle").waitFor();
      const said = await tab
        .getByText(/seed \d+/)
        .first()
        .textContent();
      await tab.getByRole("button", { name: "Keep the seed" }).click();
      const kept = await field(tab, "Seed").inputValue();
      assert.ok(said.includes(`seed ${kept}`));
      await tab.getByRole("button", { name: "Throw a seed" }).click();
      assert.notEqual(await field(tab, "Seed").inputValue(), kept);
      await tab.getByRole("button", { name: "Keep the seed" }).click();
      assert.equal(await field(tab, "Seed").inputValue(), "", "open again");
      await tab.getByRole("button", { name: "16:9" }).click();
      assert.equal(await field(tab, "Width").inputValue(), "168");
      await tab.getByRole("button", { name: "Swap width and height" }).click();
      assert.equal(await field(tab, "Height").inputValue(), "168");
      await tab.getByRole("button", { name: "9:16", pressed: true }).waitFor();
    },
  );

  test("the history: keys walk, Enter shows; reuse fills the form, vary draws", desktop, async ({ page, open }) => {
    await server.draw({ prompt: "the older one", seed: 1, cfg_scale: 4 });
    await server.draw({ prompt: "the newer one", seed: 2 });
    const tab = await studio(page, open);
    const strip = tab.getByRole("group", { name: "Drawn before" });
    await strip.getByRole("button", { name: "Show: the newer one, seed 2" }).focus();
    await tab.keyboard.press("ArrowRight");
    await tab.keyboard.press("Enter");
    await picture(tab, "the older one").waitFor();
    await tab.getByRole("main").getByRole("button", { name: "Reuse recipe" }).first().click();
    assert.equal(await prompt(tab).inputValue(), "the older one");
    assert.equal(await field(tab, "CFG scale").inputValue(), "4");
    assert.equal(await field(tab, "Seed").inputValue(), "1");
    await tab.getByRole("button", { name: "Vary" }).click();
    await checkAccessibility(tab);
    await tab.getByRole("menuitem", { name: "Less guidance" }).click();
    await picture(tab, "the older one").waitFor();
    await tab.getByRole("button", { name: "Vary" }).click();
    await tab.getByRole("menuitem", { name: "Small changes of this picture" }).click();
    await tab.getByRole("button", { name: "Choose: the older one" }).nth(3).waitFor();
    const { items } = await server.ask("GET", "/api/v1/generations?limit=5&q=older");
    assert.equal(items[0].parameters.strength, 0.45);
    assert.ok(items[0].parameters.init_sha256);
    assert.equal(items[4].cfg_scale, 3);
  });

  for (const format of ["png", "jpeg", "webp"])
    test(`a ${format} gives its recipe back`, desktop, async ({ page, open }) => {
      const [drawn] = await server.draw({
        prompt: `kept in ${format}`,
        sampler: "dpmpp_2m",
        schedule: "karras",
        seed: 77,
      });
      const tab = await studio(page, open);
      await field(tab, "Recipe from a picture…").setInputFiles(await fileOf(server, drawn, format));
      await tab.getByText(`The recipe of picture.${format} is in the form`).waitFor();
      assert.equal(await prompt(tab).inputValue(), `kept in ${format}`);
      assert.equal(await field(tab, "Sampler").inputValue(), "dpmpp_2m");
      assert.equal(await field(tab, "Schedule").inputValue(), "karras");
      assert.equal(await field(tab, "Seed").inputValue(), "77");
      await checkAccessibility(tab);
      await generate(tab).click();
      await tab.getByText("was there already").waitFor();
    });

  test(
    "a picture without a recipe says so and becomes the start image; strength and mask",
    desktop,
    async ({ page, open }) => {
      const tab = await studio(page, open, { prompt: "a red circle", seed: 5 });
      const plain = await plainPng(tab);
      const file = { name: "photo.png", mimeType: "image/png", buffer: Buffer.from(plain, "base64") };
      await tab.evaluate(async (base64) => {
        const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
        const transfer = new DataTransfer();
        transfer.items.add(new File([bytes], "photo.png", { type: "image/png" }));
        window.testTransfer = transfer;
        dispatchEvent(new DragEvent("dragenter", { dataTransfer: transfer, bubbles: true }));
      }, plain);
      const target = tab.getByText("Take its recipe");
      await target.waitFor();
      await target.evaluate((element) =>
        element.dispatchEvent(
          new DragEvent("drop", { dataTransfer: window.testTransfer, bubbles: true, cancelable: true }),
        ),
      );
      await tab.getByText("photo.png carries no recipe").waitFor();
      await checkAccessibility(tab);
      await tab.getByRole("button", { name: "Use as start image" }).first().click();
      await field(tab, "Strength").fill("0.3");
      await field(tab, "Choose a mask…").setInputFiles(file);
      await checkAccessibility(tab);
      await generate(tab).click();
      await picture(tab, "a red circle").waitFor();
      const { items } = await server.ask("GET", "/api/v1/generations?limit=1");
      assert.equal(items[0].parameters.strength, 0.3);
      assert.ok(items[0].parameters.init_sha256);
      assert.ok(items[0].parameters.mask_sha256);
    },
  );

  test("a mask is painted over the start image, by hand or by keys", desktop, async ({ page, open }) => {
    const [drawn] = await server.draw({ prompt: "to be changed", seed: 8 });
    const tab = await studio(page, open, { prompt: "a blue circle", seed: 6 }, `/?start=${drawn.id}`);
    await tab.getByRole("button", { name: "Paint a mask…" }).click();
    const mask = tab.getByLabel("Mask. Arrow keys move the brush, Space paints.");
    const box = await mask.boundingBox();
    const white = () =>
      mask.evaluate((canvas) => {
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return data.filter((value, index) => index % 4 === 3 && value > 127).length;
      });
    assert.equal(await white(), 0);
    await tab.mouse.move(box.x + box.width / 4, box.y + box.height / 4);
    await tab.mouse.down();
    await tab.mouse.move(box.x + box.width / 2, box.y + box.height / 4, { steps: 4 });
    await tab.mouse.up();
    const byHand = await white();
    assert.ok(byHand > 50, `${byHand} pixels`);
    await mask.press("ArrowDown");
    await mask.press("ArrowDown");
    await mask.press(" ");
    assert.ok((await white()) > byHand, "the keys paint too");
    await checkAccessibility(tab);
    await shoot(tab, "generate-mask");
    await tab.getByRole("button", { name: "Use as mask" }).click();
    await tab.getByRole("img", { name: "Mask" }).waitFor();
    await generate(tab).click();
    await picture(tab, "a blue circle").waitFor();
    const { items } = await server.ask("GET", "/api/v1/generations?limit=1");
    assert.ok(items[0].parameters.mask_sha256);
  });

  test("a text that A1111 wrote is understood when it is pasted", desktop, async ({ page, open }) => {
    const tab = await studio(page, open);
    await prompt(tab).focus();
    await prompt(tab).evaluate((area) => {
      const data = new DataTransfer();
      data.setData(
        "text/plain",
        "a pasted star\nNegative prompt: grey\nSteps: 6, Sampler: DPM++ 2M Karras, CFG scale: 5, Seed: 9, Size: 64x64, Model: demo",
      );
      area.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
    });
    assert.equal(await prompt(tab).inputValue(), "a pasted star");
    assert.equal(await field(tab, "Schedule").inputValue(), "karras");
    assert.equal(await field(tab, "Negative prompt").inputValue(), "grey");
  });

  test("an address with ?from fills the form", desktop, async ({ page, open }) => {
    const [drawn] = await server.draw({ prompt: "sent by a link", seed: 4242 });
    const tab = await studio(page, open, {}, `/?from=${drawn.id}`);
    await tab.waitForFunction(() => document.querySelector("textarea")?.value === "sent by a link");
    assert.equal(await field(tab, "Seed").inputValue(), "4242");
    assert.equal(new URL(tab.url()).search, "");
    await picture(tab, "sent by a link").waitFor();
  });

  test(
    "everything on a phone: picture, prompt, button at the thumb, parameters in a sheet",
    phone,
    async ({ page, open }) => {
      const tab = await studio(page, open);
      await checkAccessibility(tab);
      await prompt(tab).fill("a phone circle");
      await generate(tab).tap();
      await picture(tab, "a phone circle").waitFor();
      await fits(tab, 390);
      await checkAccessibility(tab);
      await shoot(tab, "generate-phone");
      await tab.getByRole("button", { name: "Parameters" }).tap();
      const sheet = tab.getByRole("dialog", { name: "Parameters" });
      await sheet.getByLabel("CFG scale").fill("2");
      await sheet.getByText("Advanced").tap();
      await sheet.getByLabel("Clip skip").fill("1");
      await checkAccessibility(tab);
      await shoot(tab, "generate-phone-sheet");
      await sheet.getByRole("button", { name: "Close" }).tap();
      await sheet.waitFor({ state: "hidden" });
      await generate(tab).tap();
      await tab.waitForFunction(async () => {
        const { items } = await (await fetch("/api/v1/generations?limit=1")).json();
        return items[0].cfg_scale === 2 && items[0].parameters.clip_skip === 1 && items[0].status === "succeeded";
      });
      await tab
        .getByRole("button", { name: /^Show: a phone circle/ })
        .nth(1)
        .tap();
      await tab.getByRole("button", { name: "Use as start image" }).tap();
      await tab.getByRole("button", { name: "Parameters" }).tap();
      await sheet.getByRole("img", { name: "Start image" }).waitFor();
    },
  );

  test("in the dark", desktop, async ({ page, open }) => {
    const context = await open({ colorScheme: "dark" });
    const tab = await page("/", context);
    await prompt(tab).waitFor();
    await checkAccessibility(tab);
    await shoot(tab, "generate-dark");
  });
});
