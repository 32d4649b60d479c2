import { configure, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { generation } from "@/features/grid/sample";
import { renderAt, serve } from "@/test/render";
import { CompareView } from "./CompareView";
import { contained, difference } from "./difference";
import { differentSizes, parameterRows, rotated } from "./parameters";

vi.setConfig({ testTimeout: 60_000 });
configure({ asyncUtilTimeout: 15_000 });

describe("difference", () => {
  const a = new Uint8ClampedArray([10, 20, 30, 255, 0, 0, 0, 255]);
  const b = new Uint8ClampedArray([10, 26, 30, 255, 0, 0, 0, 255]);
  it("counts and measures", () => {
    const found = difference(a, b, "absolute", 1);
    expect(found).toMatchObject({ mean: 1, max: 6, changed: 0.5 });
    expect([...found.pixels.slice(0, 4)]).toEqual([0, 6, 0, 255]);
  });
  it("amplifies on an even scale", () => {
    const weak = difference(a, b, "heat", 1).pixels;
    const strong = difference(a, b, "heat", 64).pixels;
    expect([...strong.slice(0, 3)]).toEqual([253, 231, 37]);
    expect([...weak.slice(4, 7)]).toEqual([68, 1, 84]);
  });
  it("fits pictures into the same box", () => {
    expect(contained(64, 128, 128, 128)).toEqual({ x: 32, y: 0, width: 64, height: 128 });
  });
});

const one = generation({ id: "a", steps: 4 });
const other = generation({ id: "b", steps: 8, image: one.image && { ...one.image, width: 128 } });

describe("parameters", () => {
  it("says in which rows pictures differ", () => {
    const rows = parameterRows([one, other]);
    expect(rows.filter((row) => row.differs).map((row) => row.name)).toEqual(["steps", "steps_per_second"]);
    expect(differentSizes([one, other])).toBe("64 × 64, 128 × 64");
    expect(differentSizes([one, one])).toBeUndefined();
    expect(rotated([1, 2, 3], 1)).toEqual([2, 3, 1]);
    expect(rotated([1, 2, 3], -1)).toEqual([3, 1, 2]);
  });
});

describe("CompareView", () => {
  const open = () => {
    const onClose = vi.fn();
    serve({ "GET /api/v1/generations/:id": ({ path }) => (path.endsWith("/a") ? one : other) });
    renderAt("/", <CompareView ids={["a", "b"]} onClose={onClose} />);
    return onClose;
  };
  it("has four ways, keys for them, and an order that is swapped", async () => {
    const onClose = open();
    const user = userEvent.setup();
    const panes = await screen.findAllByRole("group", { name: /^Picture/ });
    expect(panes.map((pane) => pane.getAttribute("aria-label")?.slice(0, 9))).toEqual(["Picture A", "Picture B"]);
    expect(screen.getByRole("note")).toHaveTextContent("64 × 64, 128 × 64");
    await user.keyboard("{ArrowRight}");
    expect(screen.getAllByRole("group", { name: /^Picture/ })[0]).toHaveAccessibleName(/^Picture B/);
    await user.keyboard("w");
    const handle = screen.getByRole("slider", { name: "Where B ends and A begins" });
    handle.focus();
    await user.keyboard("{ArrowRight}{PageUp}");
    expect(handle).toHaveAttribute("aria-valuenow", "62");
    await user.keyboard("3");
    expect(screen.getByText("B is shown")).toBeInTheDocument();
    await user.click(screen.getByRole("button", { name: "Show the other one" }));
    expect(screen.getByText("A is shown")).toBeInTheDocument();
    await user.click(screen.getByRole("button", { name: "Close" }));
    expect(onClose).toHaveBeenCalled();
  });
  it("highlights what differs, and shows the rest when asked", async () => {
    open();
    const user = userEvent.setup();
    expect(await screen.findByRole("rowheader", { name: /^Steps ?\(differs\)/ })).toBeInTheDocument();
    expect(screen.queryByRole("rowheader", { name: "Sampler" })).toBeNull();
    await user.click(screen.getByLabelText("Only what differs"));
    expect(screen.getByRole("rowheader", { name: "Sampler" })).toBeInTheDocument();
  });
});
