import { act, configure, fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";
import { problem, renderAt, serve } from "@/test/render";
import { Component } from "./GridPanel";
import { samplePage } from "./sample";
import { grid, useGrid } from "./store";

// Finding by role in a whole page is slow where there is no layout, more so on a busy machine.
vi.setConfig({ testTimeout: 60_000 });
configure({ asyncUtilTimeout: 15_000 });

const experiment = { id: "e-1", name: "Samples", status: "completed", run: samplePage().run, runs: 1 };

function open(search = "", more: Parameters<typeof serve>[0] = {}) {
  const server = serve({
    "GET /api/v1/experiments/:id/grid": () => samplePage(),
    "GET /api/v1/experiments/:id": () => experiment,
    "PATCH /api/v1/generations/:id": ({ body }) => body,
    ...more,
  });
  return { ...server, ...renderAt(`/experiments/e-1/grid${search}`, <Component />, "/experiments/:id/grid") };
}

const cell = (name: RegExp) => screen.findByRole("button", { name });

it("shows rows, columns, headers and reasons", async () => {
  open();
  const table = await screen.findByRole("grid", { name: "Comparison grid" });
  expect(table).toHaveAttribute("aria-rowcount", "4");
  expect(table).toHaveAttribute("aria-colcount", "5");
  expect(
    within(table)
      .getAllByRole("rowheader")
      .map((one) => one.textContent),
  ).toEqual(["euler", "heun", "ddim"]);
  expect(await cell(/^Sampler heun, Steps 20, .*Impossible, too slow/)).toHaveTextContent("too slow");
  expect(await cell(/^Sampler ddim, Steps 4, .*Failed, out of memory/)).toHaveTextContent("out of memory");
});

it("walks, rates, marks and selects by keys", async () => {
  const { asked } = open();
  await cell(/^Sampler euler, Steps 4,/);
  const user = userEvent.setup();
  await user.keyboard("{ArrowDown}{ArrowRight}{ArrowDown}");
  expect(document.activeElement).toHaveAccessibleName(/^Sampler heun, Steps 8, /);
  await user.keyboard("4");
  expect(await cell(/^Sampler heun, Steps 8, .*4 stars/)).toBeInTheDocument();
  expect(asked.find((one) => one.method === "PATCH")?.body).toEqual({ rating: 4 });
  await user.keyboard("f");
  expect(await cell(/^Sampler heun, Steps 8, .*Favourite/)).toBeInTheDocument();
  await user.keyboard("c{ArrowRight}c{ArrowLeft} ");
  expect(useGrid.getState().marks).toEqual(["heun-8-0", "heun-12-0"]);
  expect(screen.getByText("1 selected")).toBeInTheDocument();
  await user.keyboard("{Escape}{Escape}");
  expect(useGrid.getState().marks).toEqual([]);
});

it("takes a rating back when the server refuses it", async () => {
  open("", { "PATCH /api/v1/generations/:id": () => problem(403, "forbidden", "viewers do not rate") });
  await cell(/^Sampler euler, Steps 4,/);
  const user = userEvent.setup();
  await user.keyboard("{ArrowDown}5");
  expect(await screen.findByText("viewers do not rate")).toBeInTheDocument();
  await waitFor(() => expect(screen.queryByRole("button", { name: /euler, Steps 4, .*5 stars/ })).toBeNull());
});

it("changes axes, sorts, filters and colours by the address", async () => {
  const { router } = open();
  const user = userEvent.setup();
  await cell(/^Sampler euler, Steps 4,/);
  await user.click(screen.getByRole("button", { name: "Swap rows and columns" }));
  expect(router.state.location.search).toContain("rows=steps");
  await user.selectOptions(screen.getByLabelText("Sort"), "sharpness");
  expect(router.state.location.search).toContain("sort=-sharpness");
  const cells = within(screen.getByRole("grid")).getAllByRole("button");
  expect(cells[0]).toHaveAccessibleName(/^Sampler ddim, Steps 20/);
  await user.selectOptions(screen.getByLabelText("Colour"), "sharpness");
  expect(screen.getByRole("img", { name: "Sharpness: from 0 to 23" })).toBeInTheDocument();
  await user.type(screen.getByRole("searchbox"), "nothing like this{Enter}");
  expect(await screen.findByText("No cell passes the filters")).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Clear filters" }));
  expect(await screen.findAllByRole("button", { name: /^Sampler ddim, Steps 20/ })).toHaveLength(2);
});

it("keeps the place of cells in a list until asked to sort again", async () => {
  open("?sort=-rating");
  await cell(/^Sampler euler, Steps 4, .*Seed 100/);
  const user = userEvent.setup();
  await user.keyboard("{ArrowDown}{ArrowRight}3");
  const rated = await cell(/Seed 101, 3 stars/);
  expect(within(screen.getByRole("grid")).getAllByRole("button")[1]).toBe(rated);
  await user.click(screen.getByRole("button", { name: /sort again/ }));
  expect(within(screen.getByRole("grid")).getAllByRole("button")[0]).toHaveAccessibleName(/3 stars/);
});

it("tells about the cell under the pointer", async () => {
  open();
  const one = await cell(/^Sampler euler, Steps 8,/);
  act(() => grid.hover({ id: "euler-8-0", box: { left: 0, top: 0, right: 10, bottom: 10 } }));
  const card = await screen.findByRole("tooltip");
  expect(card).toHaveTextContent("Sharpness");
  expect(card).toHaveTextContent("0.5 s");
  fireEvent.pointerDown(one);
  expect(screen.queryByRole("tooltip")).toBeNull();
});

it("asks the server for what compares pictures, and says when that fails", async () => {
  const { asked } = open("?colour=ssim", {
    "GET /api/v1/experiments/:id/grid": ({ query }) =>
      query.get("measures") ? problem(503, "unavailable", "not now") : samplePage(),
  });
  expect(await screen.findByText("not now")).toBeInTheDocument();
  expect(asked.some((one) => one.query.get("measures") === "true")).toBe(true);
});

it("says what is wrong, and teaches an empty experiment", async () => {
  const { unmount } = open("", { "GET /api/v1/experiments/:id/grid": () => problem(409, "conflict", "no run yet") });
  expect(await screen.findByText("no run yet")).toBeInTheDocument();
  unmount();
  open("", { "GET /api/v1/experiments/:id/grid": () => ({ ...samplePage(), items: [] }) });
  expect(await screen.findByText("This experiment has no cells yet")).toBeInTheDocument();
});

it("saves a table of what is shown, and pictures that are selected", async () => {
  const click = vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => {});
  const { asked } = open("", {
    "POST /api/v1/generations/zip": () => new Response(new Blob(["zip"])),
  });
  await cell(/^Sampler euler, Steps 4,/);
  const user = userEvent.setup();
  await user.click(screen.getByRole("button", { name: "Export" }));
  await user.click(await screen.findByText("Table of the 12 cells shown (CSV)"));
  expect(click).toHaveBeenCalledTimes(1);
  act(() => grid.select("euler-4-0"));
  await user.click(await screen.findByRole("button", { name: "ZIP" }));
  await waitFor(() => expect(click).toHaveBeenCalledTimes(2));
  expect(asked.find((one) => one.path.endsWith("/zip"))?.body).toEqual({ ids: ["euler-4-0"] });
});
