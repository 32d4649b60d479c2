import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, it, vi } from "vitest";
import { problem, renderAt, serve } from "@/test/render";
import { Component as GalleryPage } from "./GalleryPage";
import { selection, useSelection } from "./selection";

vi.mock("@/api/socket", async (original) => ({ ...(await original<object>()), listen: () => () => {} }));
vi.mock("@/features/compare/CompareView", () => ({
  default: ({ ids, onClose }: { ids: string[]; onClose: () => void }) => (
    <button type="button" onClick={onClose}>
      comparing {ids.length}
    </button>
  ),
}));
// jsdom has no layout: every row stands.
vi.mock("@tanstack/react-virtual", () => ({
  useWindowVirtualizer: ({ count }: { count: number }) => ({
    measure: () => {},
    scrollToIndex: () => {},
    getTotalSize: () => 100 * count,
    getVirtualItems: () => Array.from({ length: count }, (_, index) => ({ index, key: index, start: 100 * index })),
  }),
}));

const generation = (id: string, more: object = {}) => ({
  id,
  status: "succeeded",
  prompt: `picture ${id}`,
  seed: 1,
  parameters: {},
  image: { url: `/i/${id}`, thumbnail_url: `/t/${id}` },
  rating: null,
  favourite: false,
  tags: [],
  ...more,
});

const three = ["a", "b", "c"].map((id) => generation(id));
const answers = {
  "GET /api/v1/me": () => ({ role: "editor" }),
  "GET /api/v1/models": () => ({ items: [{ name: "demo", provider: "native" }] }),
  "GET /api/v1/samplers": () => ({ items: [{ name: "heun", label: "Heun", schedules: [], aliases: [] }] }),
  "GET /api/v1/tags": () => ({ items: [{ tag: "warm", count: 3 }] }),
  "GET /api/v1/experiments": () => ({ items: [{ id: "e", name: "sweep" }], next_cursor: null }),
  "GET /api/v1/generations": () => ({ items: three, next_cursor: null }),
  "POST /api/v1/generations/batch": ({ body }: { body: unknown }) => ({
    changed: (body as { ids: string[] }).ids,
    skipped: [],
  }),
};

beforeEach(() => {
  selection.clear();
  useSelection.setState({ active: undefined });
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(800);
});

const tile = (id: string) => screen.findByRole("button", { name: `picture ${id}, seed 1` });

it("chooses by keys and clicks, and works on all that are chosen", async () => {
  const { asked } = serve(answers);
  const user = userEvent.setup({ delay: null });
  const { router } = renderAt("/gallery", <GalleryPage />);
  await tile("a");
  await user.keyboard("{ArrowRight} ");
  expect(await screen.findByText("1 chosen")).toBeVisible();
  await user.click(await tile("b"));
  expect(screen.getByText("2 chosen")).toBeVisible();
  await user.keyboard("f");
  await user.keyboard("5");
  const sent = () => asked.filter((one) => one.path.endsWith("/batch")).map((one) => one.body);
  await waitFor(() =>
    expect(sent()).toEqual([
      { ids: ["a", "b"], action: "update", favourite: true },
      { ids: ["a", "b"], action: "update", rating: 5 },
    ]),
  );
  await user.click(screen.getByRole("button", { name: "Tag" }));
  await user.type(screen.getByLabelText("Add a tag"), "keep{Enter}");
  await waitFor(() => expect(sent().at(-1)).toEqual({ ids: ["a", "b"], action: "update", add_tags: ["keep"] }));
  await user.click(screen.getByRole("button", { name: "Compare" }));
  expect(router.state.location.search).toBe("?compare=a%2Cb");
  await user.click(await screen.findByText("comparing 2"));
  expect(router.state.location.search).toBe("");
});

it("deletes with undo", async () => {
  const { asked } = serve(answers);
  const user = userEvent.setup({ delay: null });
  renderAt("/gallery", <GalleryPage />);
  await tile("a");
  await user.keyboard("{Control>}a{/Control}x");
  expect(await screen.findByText("3 pictures were deleted")).toBeVisible();
  expect(screen.queryByText("3 chosen")).toBeNull();
  await user.keyboard("{Control>}z{/Control}");
  await waitFor(() => expect(asked.some((one) => (one.body as { action?: string })?.action === "restore")).toBe(true));
  await tile("a");
});

it("takes back what the server skipped, and says why", async () => {
  serve({
    ...answers,
    "POST /api/v1/generations/batch": () => ({
      changed: [],
      skipped: [{ id: "a", reason: "belongs to somebody else" }],
    }),
  });
  const user = userEvent.setup({ delay: null });
  renderAt("/gallery", <GalleryPage />);
  await tile("a");
  await user.keyboard("{ArrowRight}4");
  expect(await screen.findByText("belongs to somebody else")).toBeVisible();
  await waitFor(() => expect(screen.queryByText("4")).toBeNull());
});

it("filters through the address", async () => {
  const { asked } = serve(answers);
  const user = userEvent.setup({ delay: null });
  const { router } = renderAt("/gallery?experiment_id=e&steps=9", <GalleryPage />);
  await screen.findByRole("button", { name: "Remove the filter Experiment sweep" });
  expect(asked.find((one) => one.path === "/api/v1/generations")?.query.get("steps")).toBe("9");
  await user.click(screen.getByRole("button", { name: "Remove the filter Steps 9" }));
  expect(router.state.location.search).toBe("?experiment_id=e");
  await user.keyboard("/fox");
  await waitFor(() => expect(router.state.location.search).toBe("?experiment_id=e&q=fox"));
  await user.click(screen.getByRole("button", { name: /^Filters/ }));
  await user.selectOptions(await screen.findByLabelText("Sampler"), "heun");
  await user.type(screen.getByLabelText("Seed"), "42{Enter}");
  await user.click(screen.getByRole("button", { name: "Favourites" }));
  const search = new URLSearchParams(router.state.location.search);
  expect([search.get("sampler"), search.get("seed"), search.get("favourite")]).toEqual(["heun", "42", "true"]);
});

it("says what is wrong, and teaches when there is nothing", async () => {
  let items: object[] | undefined;
  serve({
    ...answers,
    "GET /api/v1/generations": () => (items ? { items, next_cursor: null } : problem(500, "internal", "our fault")),
  });
  const user = userEvent.setup({ delay: null });
  renderAt("/gallery?q=fox", <GalleryPage />);
  expect(await screen.findByText("our fault")).toBeVisible();
  items = [];
  await user.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByText("Nothing matches")).toBeVisible();
  await user.click(screen.getAllByRole("button", { name: "Clear filters" }).at(-1) as HTMLElement);
  expect(await screen.findByText("No pictures yet")).toBeVisible();
});
