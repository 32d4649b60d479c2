import { fireEvent, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { renderAt } from "@/test/render";
import { ActionMenu, placeOf } from "./ActionMenu";

const rect = (left: number, top: number) => ({ left, top, bottom: top + 30, right: left + 80 }) as DOMRect;
const screenSize = { width: 400, height: 800 };

test("it lies below its button, above it near the foot, and inside the window", () => {
  expect(placeOf(rect(10, 100), { width: 180, height: 200 }, screenSize)).toEqual({ left: 10, top: 134 });
  expect(placeOf(rect(10, 700), { width: 180, height: 200 }, screenSize)).toEqual({ left: 10, top: 496 });
  expect(placeOf(rect(350, 100), { width: 180, height: 200 }, screenSize).left).toBe(216);
  expect(placeOf(rect(0, 400), { width: 180, height: 790 }, screenSize).top).toBe(4);
});

test("an action is run once and closes the list; a disabled one does nothing; keys walk", () => {
  const hide = vi.fn();
  HTMLElement.prototype.hidePopover = hide;
  const run = vi.fn();
  const never = vi.fn();
  renderAt(
    "/",
    <ActionMenu
      label="More"
      items={[
        { label: "Clone", run },
        { label: "Delete", run: never, disabled: true },
        { label: "Docs", href: "/docs" },
      ]}
    >
      …
    </ActionMenu>,
  );
  const items = screen.getAllByRole("menuitem", { hidden: true });
  fireEvent.click(items[0] as HTMLElement);
  fireEvent.click(items[1] as HTMLElement);
  expect(run).toHaveBeenCalledOnce();
  expect(hide).toHaveBeenCalledOnce();
  expect(never).not.toHaveBeenCalled();
  const menu = screen.getByRole("menu", { hidden: true });
  fireEvent.keyDown(menu, { key: "End" });
  expect(items[2]).toHaveFocus();
  fireEvent.keyDown(menu, { key: "ArrowDown" });
  expect(items[0]).toHaveFocus();
  fireEvent.keyDown(menu, { key: "d" });
  expect(items[2]).toHaveFocus();
  expect(screen.getByRole("button", { name: "More" })).toHaveAttribute("aria-haspopup", "menu");
});
