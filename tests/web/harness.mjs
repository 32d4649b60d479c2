// The real server, drawing with the demo model, and Debian's Chromium before it.
//
//   import { desktop, phone, suite } from "./harness.mjs";
//   suite("gallery", ({ server, test }) => {
//     test("shows what was drawn", desktop, async ({ page }) => {
//       await server.draw({ prompt: "a red circle" });
//       const tab = await page("/gallery");
//       ...
//     });
//   });
//
// One server per file, on a free port of the loopback, with a data folder of its own. Each test gets a fresh browser
// context; errors that the page throws or logs fail it. CAULDRON names the program, CAULDRON_WEB the built app.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import AxeBuilder from "@axe-core/playwright";
import { chromium } from "playwright-core";

const source = resolve(import.meta.dirname, "../..");
const program = process.env.CAULDRON ?? join(source, "build/cauldron");
const app = process.env.CAULDRON_WEB ?? join(source, "frontend/dist");

export const desktop = { name: "desktop", viewport: { width: 1280, height: 800 } };
export const phone = {
  name: "phone",
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  isMobile: true,
  hasTouch: true,
};
/** Small and quick. */
export const small = { steps: 4, width: 64, height: 64 };

export class Server {
  /**
   * `users`: [name, role, password], there before the start; `environment`: variables of the server's own; `alone`: a
   * program that lies beside no installation finds no models there.
   */
  constructor(options = [], { users = [], environment = {}, alone = false } = {}) {
    this.alone = alone;
    this.options = options;
    this.users = users;
    this.environment = environment;
    this.port = 0;
  }

  async start() {
    if (!this.folder) {
      this.folder = await mkdtemp(join(tmpdir(), "cauldron-web-"));
      this.program = program;
      if (this.alone) {
        this.program = join(this.folder, "cauldron");
        await copyFile(program, this.program);
      }
      for (const user of this.users) this.addUser(...user);
    }
    const environment = this.variables();
    const options = ["serve", "--port", String(this.port), "--web", app, "--data", join(this.folder, "data")];
    this.process = spawn(this.program, [...options, ...this.options], {
      env: environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let log = "";
    const port = await new Promise((found, failed) => {
      const look = (text) => {
        log = (log + text).slice(-20000);
        const match = /"msg":"serving".*"port":(\d+)/.exec(log) ?? /http:\/\/[^\s:]+:(\d+)/.exec(log);
        if (match) found(Number(match[1]));
      };
      this.process.stdout.on("data", look);
      this.process.stderr.on("data", look);
      this.process.on("exit", (code) => failed(new Error(`the server ended with ${code}: ${log}`)));
    });
    this.port = port;
    this.url = `http://localhost:${port}`;
  }

  variables() {
    return {
      PATH: process.env.PATH,
      HOME: this.folder,
      LANG: "C.UTF-8",
      CAULDRON_MODELS: join(source, "models"),
      OMP_WAIT_POLICY: "passive",
      ...this.environment,
    };
  }

  addUser(name, role, password) {
    const words = ["user", "add", name, "--role", role, "--data", join(this.folder, "data")];
    const done = spawnSync(program, words, { env: this.variables(), input: `${password}\n`, encoding: "utf8" });
    assert.equal(done.status, 0, `no user was added: ${done.stderr}`);
  }

  async stop(signal = "SIGTERM") {
    if (this.process?.exitCode === null && this.process.signalCode === null) {
      const ended = new Promise((done) => this.process.once("exit", done));
      this.process.kill(signal);
      await ended;
    }
  }

  async remove() {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** JSON in and out; an answer that is not 2xx is an error that carries the problem. */
  async ask(method, path, body, headers = {}) {
    const response = await fetch(this.url + path, {
      method,
      headers: body === undefined ? headers : { "Content-Type": "application/json", ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }

  /** Finished generations. */
  async draw(parameters = {}) {
    const body = { prompt: "a red circle", ...small, ...parameters };
    return (await this.ask("POST", "/api/v1/generate", body, { Prefer: "wait=60" })).generations;
  }

  /** A finished experiment. */
  async experiment(spec, name = "an experiment") {
    const made = await this.ask("POST", "/api/v1/experiments", { name, spec, start: true });
    for (;;) {
      const now = await this.ask("GET", `/api/v1/experiments/${made.id}`);
      if (!["running", "draft"].includes(now.status)) return now;
      await new Promise((done) => setTimeout(done, 100));
    }
  }
}

/** No violation of WCAG 2.2 A and AA, and of axe's best practices, in what is shown now. */
export async function checkAccessibility(tab) {
  const { violations } = await new AxeBuilder({ page: tab }).analyze();
  const said = violations.map(
    (one) =>
      `${one.id} (${one.help})\n${one.nodes.map((node) => `    ${node.html}\n    ${node.failureSummary}`).join("\n")}`,
  );
  assert.equal(violations.length, 0, said.join("\n"));
}

/** Into CAULDRON_SHOTS, when that is set. */
export async function shoot(tab, name) {
  const folder = process.env.CAULDRON_SHOTS;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await tab.screenshot({ path: join(folder, `${name}.png`) });
}

/** One server and browser for the tests of a file. `options`: of cauldron serve; `more`: users, environment, alone. */
export function suite(name, define, options = [], more = {}) {
  const server = new Server(options, more);
  let browser;
  let contexts = [];
  describe(name, () => {
    before(async () => {
      await server.start();
      browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
    });
    after(async () => {
      await browser?.close();
      await server.remove();
    });

    /** `device`: desktop or phone; `allowed`: pattern of console errors that the test provokes. */
    const test = (title, device, run, { allowed = /$^/, ...more } = {}) =>
      it(`${title} (${device.name})`, { timeout: 120_000, ...more }, async () => {
        const errors = [];
        const { name: _, ...settings } = device;
        const open = async (extra = {}) => {
          const context = await browser.newContext({ ...settings, reducedMotion: "reduce", ...extra });
          context.setDefaultTimeout(15_000);
          contexts.push(context);
          context.on("page", (tab) => {
            tab.on("pageerror", (error) => errors.push(String(error.stack ?? error)));
            tab.on(
              "console",
              (message) => message.type() === "error" && errors.push(`${message.text()} ${message.location().url}`),
            );
          });
          return context;
        };
        /** A tab at an address of the app. `context`: of an earlier tab, else a fresh one. */
        const page = async (address = "/", context = undefined) => {
          const tab = await (context ?? (await open())).newPage();
          await tab.goto(server.url + address);
          return tab;
        };
        try {
          await run({ page, open, server });
          assert.deepEqual(
            errors.filter((error) => !allowed.test(error)),
            [],
            "the page logged errors",
          );
        } finally {
          await Promise.all(contexts.map((context) => context.close()));
          contexts = [];
        }
      });
    define({ server, test });
  });
}
