import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, it, vi } from "vitest";
import { problem, renderAt, serve } from "@/test/render";
import { Component as GeneratePage } from "./GeneratePage";
import { useStudio } from "./store";

vi.mock("@/api/socket", async (original) => ({ ...(await original<object>()), listen: () => () => {} }));

const generation = (id: string, more: object = {}) => ({
  id,
  status: "succeeded",
  prompt: "a fox",
  model: "demo",
  parameters: { prompt: "a fox", seed: 7, steps: 4, cfg_scale: 5 },
  sampler: "ddim",
  schedule: "model",
  steps: 4,
  cfg_scale: 5,
  seed: 7,
  width: 64,
  height: 64,
  image: { url: `/i/${id}`, thumbnail_url: `/t/${id}`, sha256: "", format: "png", bytes: 1, width: 64, height: 64 },
  error: null,
  reused: false,
  rating: null,
  favourite: false,
  tags: [],
  generation_time: 0.2,
  created_at: "2026-11-21T21:00:00Z",
  url: "",
  ...more,
});

const answers = {
  "GET /api/v1/me": () => ({ role: "editor" }),
  "GET /api/v1/models": () => ({ items: [{ name: "demo", provider: "native", width: 64, height: 64 }] }),
  "GET /api/v1/samplers": () => ({ items: [] }),
  "GET /api/v1/schedules": () => ({ items: [], spacings: [] }),
  "GET /api/v1/generations": () => ({
    items: [generation("old"), generation("cell", { experiment_id: "e" })],
    next_cursor: null,
  }),
  "GET /api/v1/generations/:id": ({ path }: { path: string }) => generation(path.split("/").at(-1) ?? ""),
  "POST /api/v1/generate": () => ({ generations: [generation("new")], total: 1 }),
};

beforeEach(() => {
  localStorage.clear();
  useStudio.setState({ draft: {}, count: 1, start: undefined, mask: undefined, shown: [], selected: undefined });
});

it("draws what is written with Ctrl+Enter and shows it", async () => {
  const { asked } = serve(answers);
  const user = userEvent.setup({ delay: null });
  renderAt("/", <GeneratePage />);
  await user.type(await screen.findByLabelText("Prompt"), "a fox");
  await user.keyboard("{Control>}{Enter}{/Control}");
  expect(await screen.findByRole("img", { name: "a fox" })).toHaveAttribute("src", "/i/new");
  expect(asked.find((one) => one.method === "POST")?.body).toEqual({ prompt: "a fox" });
  expect(screen.getByText(/demo · ddim · 4 steps · seed 7/)).toBeVisible();
});

it("leaves cells of experiments out of the history; reuse fills the form", async () => {
  serve(answers);
  const user = userEvent.setup({ delay: null });
  renderAt("/", <GeneratePage />);
  const shown = await screen.findAllByRole("button", { name: /^Show: a fox/ });
  expect(shown).toHaveLength(1);
  await user.click(screen.getByRole("button", { name: "Reuse recipe" }));
  expect(useStudio.getState().draft).toMatchObject({ prompt: "a fox", seed: 7, cfg_scale: 5 });
  for (const one of shown) await user.click(one);
  expect(await screen.findByRole("img", { name: "a fox" })).toHaveAttribute("src", "/i/old");
});

it("says which models there are when one is missing, and takes one", async () => {
  serve({
    ...answers,
    "POST /api/v1/generate": () =>
      Response.json(
        {
          code: "model_not_found",
          status: 404,
          detail: "no model 'x' is installed; installed: demo; get it with 'cauldron models pull x'",
          models: ["demo"],
        },
        { status: 404 },
      ),
  });
  useStudio.setState({ draft: { prompt: "a", model: "x" } });
  const user = userEvent.setup({ delay: null });
  renderAt("/", <GeneratePage />);
  await user.click(await screen.findByRole("button", { name: "Generate" }));
  expect(await screen.findByText("cauldron models pull x")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Use demo" }));
  expect(useStudio.getState().draft.model).toBe("demo");
});

it("shows a failed picture with its reason and tries it again", async () => {
  const { asked } = serve({
    ...answers,
    "GET /api/v1/generations/:id": () =>
      generation("bad", { status: "failed", image: null, error: { code: "image_failed", message: "no memory left" } }),
    "POST /api/v1/generations/:id/retry": () => generation("bad", { status: "queued", image: null }),
    "GET /api/v1/jobs": () => ({ items: [], next_cursor: null }),
  });
  useStudio.setState({ shown: ["bad"] });
  const user = userEvent.setup({ delay: null });
  renderAt("/", <GeneratePage />);
  expect(await screen.findByText("no memory left")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Try again" }));
  expect((await screen.findAllByText("Waiting")).length).toBeGreaterThan(0);
  expect(asked.some((one) => one.path.endsWith("/retry"))).toBe(true);
});

it("takes a recipe out of a picture, says when there is none, and refuses what is no picture", async () => {
  let own: string | undefined = JSON.stringify({ prompt: "from the file", seed: "5" });
  serve({
    ...answers,
    "POST /sdapi/v1/png-info": () => ({ info: "", items: own ? { cauldron: own } : {}, parameters: {} }),
  });
  const none = matchMedia("print");
  vi.stubGlobal("matchMedia", (query: string) => ({ ...none, matches: query.includes("min-width") }));
  const user = userEvent.setup({ delay: null, applyAccept: false });
  renderAt("/", <GeneratePage />);
  const input = await screen.findByLabelText("Recipe from a picture…");
  await user.upload(input, new File(["x"], "a.png", { type: "image/png" }));
  expect(await screen.findByText("The recipe of a.png is in the form")).toBeVisible();
  expect(useStudio.getState().draft).toEqual({ prompt: "from the file", seed: 5 });
  own = undefined;
  await user.upload(input, new File(["x"], "b.png", { type: "image/png" }));
  expect(await screen.findByText("b.png carries no recipe")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Use as start image" }));
  expect(useStudio.getState().start).toMatchObject({ kind: "file", name: "b.png" });
  expect(await screen.findByLabelText("Strength")).toBeVisible();
  await user.upload(input, new File(["x"], "c.txt", { type: "text/plain" }));
  expect(await screen.findByText("c.txt is not a PNG, JPEG or WebP file.")).toBeVisible();
  vi.stubGlobal("matchMedia", () => none);
});

it("fills the form from an address, and only once", async () => {
  serve(answers);
  const { router } = renderAt("/?from=old", <GeneratePage />);
  await waitFor(() => expect(useStudio.getState().draft.prompt).toBe("a fox"));
  expect(router.state.location.search).toBe("");
  expect(useStudio.getState().shown).toEqual(["old"]);
});

it("shows what the server refuses at the prompt", async () => {
  serve({
    ...answers,
    "POST /api/v1/generate": () => problem(422, "invalid", "bad", [{ pointer: "/prompt", expected: "a text" }]),
  });
  useStudio.setState({ draft: { prompt: "a" } });
  const user = userEvent.setup({ delay: null });
  renderAt("/", <GeneratePage />);
  await user.click(await screen.findByRole("button", { name: "Generate" }));
  await waitFor(() => expect(screen.getByLabelText("Prompt")).toBeInvalid());
});
