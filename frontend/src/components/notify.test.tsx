import { act, fireEvent, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Problem } from "@/api/client";
import { renderAt } from "@/test/render";
import { notify } from "./notify";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  act(() => vi.advanceTimersByTime(60_000));
  vi.useRealTimers();
});

test("a message goes by itself, but not while it is read", () => {
  renderAt("/", <div />);
  act(() => void notify.done("Saved"));
  const card = screen.getByText("Saved");
  fireEvent.pointerEnter(card.closest("[role=region] > *") as Element);
  act(() => vi.advanceTimersByTime(60_000));
  expect(card).toBeInTheDocument();
  fireEvent.pointerLeave(card.closest("[role=region] > *") as Element);
  act(() => vi.advanceTimersByTime(4000));
  expect(card).not.toBeInTheDocument();
});

test("an error says why, and can be closed", () => {
  renderAt("/", <div />);
  act(() => notify.error(new Problem(409, "conflict", "It runs already.")));
  expect(screen.getByRole("alert")).toHaveTextContent("It runs already.");
  fireEvent.click(screen.getByRole("button", { name: "Close" }));
  expect(screen.queryByRole("alert")).toBeNull();
});

test("what was done is taken back once, by the button or by Ctrl+Z; what fails is said", async () => {
  renderAt("/", <input aria-label="field" />);
  const first = vi.fn();
  const second = vi.fn(() => Promise.reject(new Problem(410, "gone", "It was swept away.")));
  act(() => notify.undo("Deleted one", first));
  act(() => notify.undo("Deleted two", second));
  const press = () => fireEvent.keyDown(document.body, { key: "z", ctrlKey: true });
  fireEvent.keyDown(screen.getByLabelText("field"), { key: "z", ctrlKey: true });
  expect(second).not.toHaveBeenCalled();
  await act(async () => void press());
  expect(second).toHaveBeenCalledOnce();
  expect(screen.getByRole("alert")).toHaveTextContent("It was swept away.");
  fireEvent.click(screen.getByRole("button", { name: "Undo" }));
  expect(first).toHaveBeenCalledOnce();
  press();
  expect(first).toHaveBeenCalledOnce();
});

test("four messages at most", () => {
  renderAt("/", <div />);
  act(() => {
    for (let n = 1; n <= 6; n++) notify.info(`message ${n}`);
  });
  expect(screen.getAllByText(/^message/).map((one) => one.textContent)).toEqual(
    [3, 4, 5, 6].map((n) => `message ${n}`),
  );
});
