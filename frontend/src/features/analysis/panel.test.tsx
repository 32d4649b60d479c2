import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, it, vi } from "vitest";
import { problem, renderAt, serve } from "@/test/render";
import { Component } from "./AnalysisPanel";

// jsdom has no canvas: what uPlot paints is looked at in the browser tests.
vi.mock("@/components/charts/PointChart", () => ({
  default: ({
    label,
    series,
    onSelect,
  }: {
    label: string;
    series: { points: { key: string; name: string }[] }[];
    onSelect: (key: string) => void;
  }) => (
    <fieldset aria-label={label}>
      {series.flatMap(({ points }) =>
        points.map(({ key, name }) => (
          <button key={key} type="button" onClick={() => onSelect(key)}>
            {name}
          </button>
        )),
      )}
    </fieldset>
  ),
}));
vi.setConfig({ testTimeout: 20_000 });
afterEach(() => vi.unstubAllGlobals());

const mean = (value: number | null, n = 2) => ({
  n,
  mean: value,
  low: value === null ? null : value - 0.1,
  high: value === null ? null : value + 0.1,
});
const point = (x: number, y: number | null) => ({ x, y: mean(y), seconds: mean(x / 10), reference: y === null });
const analysis = {
  type: "convergence",
  measure: "ssim",
  measure_info: { name: "ssim", title: "SSIM to the reference", unit: "", better: 1 },
  reference: { axis: "steps", value: "8" },
  tolerance: 0.05,
  cells: 3,
  counts: { cells: 3, done: 3, failed: 0, impossible: 0, measured: 2 },
  cost: {},
  curve_axis: "steps",
  curves: [
    {
      label: "sampler euler",
      setting: { sampler: "euler" },
      points: [point(2, 0.8), point(4, 0.97), point(8, null)],
      knee: null,
      converged: point(4, 0.97),
      summary: "",
    },
  ],
  cheapest: { label: "", setting: { sampler: "euler" }, point: point(4, 0.97) },
  importance: [
    {
      name: "steps",
      share: 0.8,
      n: 3,
      effects: [
        { label: "2", value: 2, mean: mean(0.8), against_first: mean(null, 0) },
        { label: "4", value: 4, mean: mean(0.97), against_first: mean(0.17) },
      ],
    },
    { name: "sampler", share: null, n: 0, effects: [] },
  ],
  interactions: [{ factors: ["steps", "sampler"], share: 0.1, n: 3 }],
  unexplained: 0.05,
  ranking: [
    {
      label: "4",
      setting: { sampler: "euler", steps: 4 },
      y: mean(0.97),
      seconds: mean(0.4),
      steps_per_second: mean(10),
      memory: mean(1e6),
      frontier: true,
    },
    {
      label: "2",
      setting: { sampler: "euler", steps: 2 },
      y: mean(0.8),
      seconds: mean(0.2),
      steps_per_second: mean(10),
      memory: mean(1e6),
      frontier: true,
    },
  ],
};
const steps = {
  name: "steps",
  parameter: "steps",
  numeric: true,
  values: [2, 4, 8].map((value) => ({ label: String(value), value })),
};
const cells = [2, 4, 8].map((count) => ({
  id: `g${count}`,
  status: "succeeded",
  prompt: "p",
  seed: 1,
  replicate: 0,
  axes: { sampler: "euler", steps: count },
  image: { thumbnail_url: "/t" },
}));
const run = { id: "r", number: 1, status: "completed", total: 3, completed: 3 };
const base = {
  "GET /api/v1/experiments/e": () => ({ id: "e", status: "completed", run, runs: 1 }),
  "GET /api/v1/experiments/e/grid": () => ({ run, axes: [steps], items: cells, next_cursor: null }),
  "GET /api/v1/experiments/e/analysis": () => analysis,
};
const show = (answers: Record<string, () => unknown> = {}, search = "") => {
  const served = serve({ ...base, ...answers });
  return { ...served, ...renderAt(`/experiments/e/analysis${search}`, <Component />, "/experiments/:id/analysis") };
};

it("points, effects and rows open their pictures; a picture becomes the reference", async () => {
  const user = userEvent.setup();
  const { router } = show();
  const points = await screen.findByRole("group", { name: "Points of the curves" });
  await user.click(within(points).getByRole("button", { name: /^Sampler euler, Steps 2/ }));
  const strip = () => screen.getByRole("region", { name: "Pictures behind the number" });
  expect(within(strip()).getByText("Sampler euler, Steps 2: 1 picture")).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: /^4/ }));
  expect(within(strip()).getByText("Steps 4: 1 picture")).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Sampler euler, Steps 4" }));
  await user.click(within(strip()).getByRole("button", { name: "Compare with" }));
  expect(router.state.location.search).toBe("?reference=g4");
  await user.click(within(strip()).getAllByRole("button", { name: /Steps 4/ })[0] as HTMLElement);
  expect(router.state.location.search).toContain("view=g4");
  await user.click(screen.getByRole("button", { name: "Hide the pictures" }));
  expect(screen.queryByRole("region", { name: "Pictures behind the number" })).toBeNull();
});

it("says what the curves come to, and what nothing can be said of", async () => {
  show();
  expect(
    await screen.findByText(/converged at Steps 4, 0.4 s \(n = 2\)\. The curve has no knee\./),
  ).toBeInTheDocument();
  expect(screen.getByText("cannot be said: too few cells")).toBeInTheDocument();
  expect(screen.getByText("5 % is explained by none of these.")).toBeInTheDocument();
});

it("every figure has a table", async () => {
  const user = userEvent.setup();
  show();
  const curves = await screen.findByRole("region", { name: "Convergence over Steps" });
  await user.click(within(curves).getByRole("button", { name: "Table" }));
  expect(within(curves).getAllByRole("row").length).toBe(4);
  expect(within(curves).getByText("the reference itself")).toBeInTheDocument();
});

it("measure, tolerance and reference are asked for from the address", async () => {
  const user = userEvent.setup();
  const { asked, router } = show({}, "?tolerance=0.2");
  await user.selectOptions(await screen.findByLabelText("Measure"), "psnr");
  await waitFor(() =>
    expect(asked.findLast(({ path }) => path.endsWith("/analysis"))?.query.toString()).toBe(
      "measure=psnr&tolerance=0.2",
    ),
  );
  await user.selectOptions(await screen.findByLabelText("Compared with"), "g2");
  expect(router.state.location.search).toContain("reference=g2");
});

it("a wrong tolerance and a failed question are shown", async () => {
  show(
    { "GET /api/v1/experiments/e/analysis": () => problem(422, "invalid", "No such measure here.") },
    "?tolerance=9",
  );
  expect(await screen.findByText("No such measure here.")).toBeInTheDocument();
  expect(screen.getByText(/Between 0 and 1/)).toBeInTheDocument();
});

it("before the first picture there is nothing to say", async () => {
  show({ "GET /api/v1/experiments/e": () => ({ id: "e", status: "draft", run: null, runs: 0 }) });
  expect(await screen.findByText(/Start the experiment/)).toBeInTheDocument();
});
