import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Experiment } from "@/api/client";
import { experimentQuery } from "@/api/queries";
import { problem, renderAt, serve } from "@/test/render";
import { CompareRunsDialog } from "./CompareRunsDialog";
import { Component } from "./ExperimentPage";
import { ExtendDialog } from "./ExtendDialog";
import { possible } from "./useActions";

vi.mock("@/api/socket", async (original) => ({
  ...(await original<typeof import("@/api/socket")>()),
  listen: () => () => {},
}));
vi.setConfig({ testTimeout: 20_000 });
afterEach(() => vi.unstubAllGlobals());

const run = {
  id: "r1",
  number: 1,
  status: "completed",
  total: 4,
  completed: 3,
  failed: 1,
  cancelled: 0,
  impossible: 0,
  reused: 0,
  created_at: "2026-01-01T00:00:00Z",
};
const experiment = (more: object = {}) =>
  ({
    id: "e",
    name: "Old name",
    type: "cfg",
    status: "completed",
    config: { version: 1, type: "cfg" },
    run,
    runs: 1,
    ...more,
  }) as unknown as Experiment;
const base = {
  "GET /api/v1/me": () => ({ name: "local", role: "admin" }),
  "GET /api/v1/experiments/e": () => experiment(),
  "GET /api/v1/experiments/e/runs": () => ({ items: [{ ...run, number: 2 }, run], next_cursor: null }),
};
const show = (answers: Record<string, () => unknown> = {}) => {
  const served = serve({ ...base, ...answers });
  return { ...served, ...renderAt("/experiments/e", <Component />, "/experiments/:id/*") };
};

describe("the page of an experiment", () => {
  it("renames in place, and takes it back when the server refuses", async () => {
    const user = userEvent.setup();
    const { asked } = show({ "PATCH /api/v1/experiments/e": () => problem(403, "forbidden", "You may not.") });
    await user.click(await screen.findByRole("button", { name: "Rename" }));
    await user.clear(screen.getByRole("textbox"));
    await user.type(screen.getByRole("textbox"), "New name{Enter}");
    expect(asked.find(({ method }) => method === "PATCH")?.body).toEqual({ name: "New name" });
    expect(await screen.findByText("You may not.")).toBeInTheDocument();
    expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("Old name");
  });

  it("Escape leaves the name as it is", async () => {
    const user = userEvent.setup();
    const { asked } = show();
    await user.click(await screen.findByRole("button", { name: "Rename" }));
    await user.type(screen.getByRole("textbox"), "x{Escape}");
    expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("Old name");
    expect(asked.some(({ method }) => method === "PATCH")).toBe(false);
    await waitFor(() => expect(screen.getByRole("button", { name: "Rename" })).toHaveFocus());
  });

  it("retries what failed", async () => {
    const user = userEvent.setup();
    show({
      "POST /api/v1/experiments/e/retry": () =>
        experiment({ status: "running", run: { ...run, status: "running", failed: 0 } }),
    });
    await user.click(await screen.findByRole("button", { name: "Retry failed" }));
    expect(await screen.findByRole("button", { name: "Pause" })).toBeInTheDocument();
    expect(document.title).toMatch(/^75 % · Old name/);
  });

  it("deletes, and has it back", async () => {
    const user = userEvent.setup();
    const { router, asked } = show({
      "DELETE /api/v1/experiments/e": () => new Response(null, { status: 204 }),
      "POST /api/v1/experiments/e/restore": () => experiment(),
    });
    await user.click(await screen.findByRole("button", { name: "More actions" }));
    await user.click(await screen.findByRole("menuitem", { name: "Delete with its pictures" }));
    await waitFor(() => expect(router.state.location.pathname).toBe("/experiments"));
    expect(asked.find(({ method }) => method === "DELETE")?.query.get("generations")).toBe("true");
    await user.click(await screen.findByRole("button", { name: "Undo" }));
    await waitFor(() => expect(router.state.location.pathname).toBe("/experiments/e"));
  });

  it("viewers look only", async () => {
    show({ "GET /api/v1/me": () => ({ id: "u", name: "eve", role: "viewer" }) });
    await screen.findByRole("heading", { level: 1 });
    expect(screen.queryByRole("button", { name: "Run again" })).toBeNull();
    expect(screen.queryByRole("button", { name: "Rename" })).toBeNull();
  });

  it("says that it is gone", async () => {
    show({ "GET /api/v1/experiments/e": () => problem(404, "not_found", "no such experiment") });
    expect(await screen.findByRole("heading", { name: /There is no such experiment/ })).toBeInTheDocument();
  });

  it("chooses a run into the address", async () => {
    const user = userEvent.setup();
    const { router } = show({ "GET /api/v1/experiments/e": () => experiment({ runs: 2, run: { ...run, number: 2 } }) });
    const select = await screen.findByLabelText("Run");
    await within(select).findByText(/^Run 1/);
    await user.selectOptions(select, "1");
    expect(router.state.location.search).toBe("?run=1");
    await user.selectOptions(select, "2");
    expect(router.state.location.search).toBe("");
  });
});

it("what can be done follows the state", () => {
  const can = (status: string, more: object = {}) => [...possible(experiment({ status, ...more }))];
  expect(can("draft", { run: null })).toEqual(["start"]);
  expect(can("running")).toEqual(["pause", "cancel"]);
  expect(can("paused")).toEqual(["resume", "cancel"]);
  expect(can("completed")).toEqual(["start", "retry"]);
  expect(can("completed", { run: { ...run, failed: 0 } })).toEqual(["start"]);
});

it("extends with what was written, and shows a refusal at its field", async () => {
  const user = userEvent.setup();
  let refuse = true;
  const { asked } = serve({
    ...base,
    "GET /api/v1/experiments/e/grid": () => ({
      run,
      replicates: 1,
      items: [],
      next_cursor: null,
      axes: [{ name: "steps", parameter: "steps", numeric: true, values: [{ label: "4", value: 4 }] }],
    }),
    "POST /api/v1/experiments/e/extend": () =>
      refuse
        ? problem(422, "invalid_spec", "one problem", [{ pointer: "/axes/steps", expected: "an integer" }])
        : experiment(),
  });
  const close = vi.fn();
  const { client } = renderAt("/", <ExtendDialog experiment={experiment()} onClose={close} />);
  client.setQueryData(experimentQuery("e").queryKey, experiment());
  await user.type(await screen.findByLabelText("More of: Steps"), "x");
  await user.click(screen.getByRole("button", { name: "Draw the new cells" }));
  expect(await screen.findByText("an integer")).toBeInTheDocument();
  refuse = false;
  await user.type(screen.getByLabelText("Replicates in all"), "3");
  await user.click(screen.getByRole("button", { name: "Draw the new cells" }));
  await waitFor(() => expect(close).toHaveBeenCalled());
  expect(
    asked.at(-1)?.path === "/api/v1/experiments/e/extend" ||
      asked.some(({ body }) => (body as { replicates?: number })?.replicates === 3),
  ).toBe(true);
});

it("two runs are compared, what changed first", async () => {
  const user = userEvent.setup();
  serve({
    ...base,
    "GET /api/v1/experiments/e/compare": () => ({
      identical: 1,
      different: 1,
      unpaired: 0,
      next_cursor: null,
      items: [
        { axes: { steps: 4 }, left: "a", right: "b", identical: true },
        { axes: { steps: 8 }, left: "c", right: "d", identical: false, ssim: 0.5, psnr: 20 },
      ],
    }),
  });
  renderAt("/", <CompareRunsDialog id="e" newest={2} onClose={() => {}} />);
  expect(await screen.findByText("1 identical, 1 different, 0 in one run only")).toBeInTheDocument();
  expect(screen.getByText("Steps 8")).toBeInTheDocument();
  expect(screen.queryByText("Steps 4")).toBeNull();
  expect(screen.getByText("SSIM 0.5, PSNR 20 dB")).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Show identical ones too" }));
  expect(screen.getByText("Steps 4")).toBeInTheDocument();
  await user.selectOptions(screen.getByLabelText("With"), "1");
  expect(await screen.findByText("Choose two different runs.")).toBeInTheDocument();
});
