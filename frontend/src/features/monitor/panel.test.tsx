import { act, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, it, vi } from "vitest";
import { useLink } from "@/api/socket";
import { problem, renderAt, serve } from "@/test/render";
import { Component } from "./MonitorPanel";

vi.mock("@/api/socket", async (original) => ({
  ...(await original<typeof import("@/api/socket")>()),
  listen: () => () => {},
}));
vi.setConfig({ testTimeout: 20_000 });
afterEach(() => {
  vi.unstubAllGlobals();
  useLink.setState({ state: "idle" });
});

const axes = [
  {
    name: "steps",
    parameter: "steps",
    numeric: true,
    values: [
      { label: "2", value: 2 },
      { label: "4", value: 4 },
    ],
  },
];
const cell = (id: string, steps: number, status: string, more: object = {}) => ({
  id,
  status,
  attempts: 1,
  seed: 1,
  prompt: "p",
  axes: { steps },
  image: null,
  error: null,
  generated_at: null,
  ...more,
});
const picture = { url: "/i", thumbnail_url: "/t?size=256", width: 64, height: 64 };
const cells = [
  cell("a", 2, "succeeded", { image: picture, generated_at: "2026-01-01T00:00:00Z" }),
  cell("b", 4, "failed", { error: { code: "image_failed", message: "out of luck" } }),
];
const run = (more: object = {}) => ({
  id: "r",
  number: 1,
  status: "completed",
  total: 2,
  completed: 1,
  failed: 1,
  cancelled: 0,
  impossible: 0,
  reused: 0,
  eta_seconds: null,
  started_at: "2026-01-01T00:00:00Z",
  finished_at: "2026-01-01T00:01:00Z",
  ...more,
});
const experiment = (more: object = {}) => ({ id: "e", name: "x", status: "completed", run: run(), runs: 1, ...more });
const base = {
  "GET /api/v1/me": () => ({ name: "local", role: "admin" }),
  "GET /api/v1/experiments/e": () => experiment(),
  "GET /api/v1/experiments/e/grid": () => ({ run: run(), axes, replicates: 1, items: cells, next_cursor: null }),
};
const show = (answers: Record<string, () => unknown> = {}) => {
  const served = serve({ ...base, ...answers });
  return { ...served, ...renderAt("/experiments/e", <Component />, "/experiments/:id") };
};

it("shows how far, how fast, what came last and what failed", async () => {
  const user = userEvent.setup();
  const { asked, router } = show({ "POST /api/v1/generations/b/retry": () => cell("b", 4, "queued") });
  expect(await screen.findByRole("progressbar")).toHaveAttribute("aria-valuenow", "100");
  expect(screen.getByText("2 cells/min")).toBeInTheDocument();
  expect(screen.getByText("1 min 0 s")).toBeInTheDocument();
  expect(await screen.findByText("out of luck")).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Try again: Steps 4, Seed 1" }));
  await waitFor(() => expect(asked.some(({ path }) => path === "/api/v1/generations/b/retry")).toBe(true));
  await waitFor(() => expect(screen.queryByText("out of luck")).toBeNull());
  await user.click(screen.getByRole("button", { name: "Open the newest picture" }));
  expect(router.state.location.search).toBe("?view=a");
});

it("the small grid is walked and opened by keys", async () => {
  const user = userEvent.setup();
  const { router } = show();
  const grid = await screen.findByRole("grid");
  act(() => grid.focus());
  await user.keyboard("{ArrowRight}");
  expect(screen.getByRole("gridcell")).toHaveTextContent("Steps 4, Seed 1: Failed");
  await user.keyboard("{Home}");
  expect(screen.getByRole("gridcell")).toHaveTextContent("Steps 2, Seed 1: Done");
  await user.keyboard("{End}{Enter}");
  expect(router.state.location.search).toBe("?view=b");
});

it("a running one tells what is drawn now, and when events are away", async () => {
  show({
    "GET /api/v1/experiments/e": () =>
      experiment({
        status: "running",
        run: run({ status: "running", completed: 0, failed: 0, finished_at: null, eta_seconds: 30 }),
      }),
    "GET /api/v1/generations": () => ({ items: [cell("c", 4, "running")], next_cursor: null }),
    "GET /api/v1/generations/c": () => cell("c", 4, "running"),
  });
  expect(await screen.findByText(/Now: Steps 4, Seed 1/)).toBeInTheDocument();
  expect(screen.getByText("30 s")).toBeInTheDocument();
  act(() => useLink.setState({ state: "offline" }));
  expect(await screen.findByText(/Live events do not arrive/, {}, { timeout: 4000 })).toBeInTheDocument();
});

it("a draft says what a start would do", async () => {
  const user = userEvent.setup();
  const { asked } = show({
    "GET /api/v1/experiments/e": () => experiment({ status: "draft", run: null }),
    "POST /api/v1/experiments/e/plan": () => ({
      cells: 6,
      to_draw: 4,
      existing: 2,
      impossible: 1,
      estimated_seconds: 3,
      estimated_bytes: 1000,
    }),
    "POST /api/v1/experiments/e/start": () => experiment(),
  });
  expect(
    await screen.findByText(/6 cells\. 4 pictures are to be drawn, 2 exist already\. 1 cell is impossible\./),
  ).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Start" }));
  expect(asked.some(({ path }) => path.endsWith("/start"))).toBe(true);
  expect(await screen.findByRole("progressbar")).toBeInTheDocument();
});

it("a grid that cannot be had says so beside the rest", async () => {
  show({ "GET /api/v1/experiments/e/grid": () => problem(500, "internal", "The grid broke.") });
  expect(await screen.findByText("The grid broke.")).toBeInTheDocument();
  expect(screen.getByRole("progressbar")).toBeInTheDocument();
});
