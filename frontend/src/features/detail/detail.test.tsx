import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";
import { problem, renderAt, serve } from "@/test/render";
import DetailDialog from "./DetailDialog";
import { drawnFacts, recipeFacts } from "./facts";
import { addedTag } from "./tags";
import { useSequence } from "./useDetail";

const generation = (id: string, more: object = {}) => ({
  id,
  status: "succeeded",
  prompt: `picture ${id}`,
  negative_prompt: "grey",
  model: "demo",
  model_digest: "92ede1335e8ef305",
  parameters: { prompt: `picture ${id}`, eta: 0.5, spacing: "trailing", crop_left: 8, dtype: "f32", isa: "avx2" },
  sampler: "ddim",
  schedule: "model",
  steps: 4,
  cfg_scale: 7.5,
  seed: 1234567,
  width: 64,
  height: 64,
  experiment_id: null,
  image: { url: `/i/${id}`, thumbnail_url: `/t/${id}`, sha256: "", format: "png", bytes: 1931, width: 64, height: 64 },
  error: null,
  reused: false,
  rating: null,
  favourite: false,
  tags: ["old"],
  measures: { sharpness: 0.5 },
  generation_time: 0.25,
  memory_used: 1_000_000,
  created_at: "2026-11-21T21:00:00Z",
  url: "",
  ...more,
});

const answers = {
  "GET /api/v1/me": () => ({ role: "editor" }),
  "GET /api/v1/generations/:id/similar-recipes": () => ({
    items: [{ generation: generation("s"), differs: ["seed", "init_sha256"] }],
  }),
  "GET /api/v1/generations/:id/recipe": () => ({ recipe: { steps: 4 }, text: "as text" }),
  "GET /api/v1/tags": () => ({ items: [{ tag: "warm", count: 3 }] }),
  "GET /api/v1/generations/broken": () =>
    generation("broken", { status: "failed", image: null, error: { code: "image_failed", message: "no memory left" } }),
  "GET /api/v1/generations/gone": () => problem(404, "not_found", "there is none"),
  "GET /api/v1/generations/:id": ({ path }: { path: string }) => generation(path.split("/").at(-1) ?? ""),
  "PATCH /api/v1/generations/:id": () => ({}),
  "DELETE /api/v1/generations/:id": () => new Response(null, { status: 204 }),
  "POST /api/v1/generations/:id/retry": () => generation("broken", { status: "queued", image: null }),
};

it("shows a picture with its recipe, and changes what people say of it", async () => {
  const { asked } = serve(answers);
  const user = userEvent.setup({ delay: null });
  renderAt("/gallery?view=a", <DetailDialog id="a" />);
  const dialog = await screen.findByRole("dialog", { name: "Picture" });
  await within(dialog).findByText("picture a");
  expect(within(dialog).getByText("1234567")).toBeVisible();
  expect(await within(dialog).findByText("Seed, Start image")).toBeVisible();
  await user.click(within(dialog).getByRole("button", { name: "3 stars" }));
  await user.type(within(dialog).getByLabelText("Add a tag"), "new{Enter}");
  await user.click(within(dialog).getByRole("button", { name: "Remove the tag old" }));
  const bodies = () => asked.filter((one) => one.method === "PATCH").map((one) => one.body);
  await waitFor(() => expect(bodies()).toEqual([{ rating: 3 }, { tags: ["old", "new"] }, { tags: ["new"] }]));
});

it("walks the sequence by keys and closes after the last is deleted", async () => {
  serve(answers);
  useSequence.setState({ ids: ["a", "b"] });
  const user = userEvent.setup({ delay: null });
  const { router } = renderAt("/gallery?view=b", <DetailDialog id="b" />);
  await screen.findByText("2 / 2");
  await user.keyboard("{ArrowLeft}");
  expect(router.state.location.search).toBe("?view=a");
  useSequence.setState({ ids: ["b"] });
  await user.keyboard("x");
  await waitFor(() => expect(router.state.location.search).toBe(""));
});

it("says why one failed and tries again", async () => {
  const { asked } = serve(answers);
  const user = userEvent.setup({ delay: null });
  renderAt("/?view=broken", <DetailDialog id="broken" />);
  expect(await screen.findByText("no memory left")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Try again" }));
  await waitFor(() => expect(asked.some((one) => one.path.endsWith("/retry"))).toBe(true));
});

it("says that one is gone, and offers a viewer nothing that writes", async () => {
  serve({ ...answers, "GET /api/v1/me": () => ({ role: "viewer" }) });
  const { unmount } = renderAt("/?view=gone", <DetailDialog id="gone" />);
  expect(await screen.findByText("there is none")).toBeVisible();
  unmount();
  renderAt("/?view=a", <DetailDialog id="a" />);
  await screen.findByText("picture a");
  await waitFor(() => expect(screen.queryByRole("button", { name: "Delete" })).toBeNull());
  expect(screen.getByRole("button", { name: "Download" })).toBeInTheDocument();
});

it("tells the recipe without what has no effect", () => {
  const made = generation("a") as unknown as Parameters<typeof recipeFacts>[0];
  const names = recipeFacts(made).map(([name]) => name);
  expect(names).toEqual([
    "Model",
    "Sampler",
    "Schedule",
    "Steps",
    "CFG scale",
    "Seed",
    "Size",
    "Spacing",
    "Eta",
    "Crop left",
  ]);
  const drawn = Object.fromEntries(drawnFacts(made));
  expect(drawn).toMatchObject({ "Drawn in": "0.3 s", Sharpness: "0.5", "Computed with": "f32, avx2" });
  const from = { ...made, reused: true, parameters: { init_sha256: "abc", mask_sha256: "def", strength: 0.4 } };
  expect(recipeFacts(from).at(-1)).toEqual(["Mask", "SHA-256 def"]);
  expect(Object.fromEntries(drawnFacts(from))["Drawn in"]).toBe("was there already");
});

it("adds a tag once, and not more than the API takes", () => {
  const tags = ["a"];
  expect(addedTag(tags, " b ")).toEqual(["a", "b"]);
  expect(addedTag(tags, "a")).toBe(tags);
  expect(addedTag(tags, "  ")).toBe(tags);
  const full = Array.from({ length: 32 }, (_, n) => String(n));
  expect(addedTag(full, "x")).toBe(full);
});
