import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, it, vi } from "vitest";
import { Problem } from "@/api/client";
import { renderAt, serve } from "@/test/render";
import type { RecipeDraft } from "./draft";
import { RecipeFields } from "./RecipeFields";

const answers = {
  "GET /api/v1/models": () => ({
    items: [
      {
        name: "demo",
        provider: "native",
        architecture: "sd1",
        width: 128,
        height: 128,
        multiple: 8,
        defaults: { sampler: "ddim", steps: 20, cfg_scale: 7.5, samplers: ["ddim", "heun"] },
      },
      {
        name: "big",
        provider: "native",
        architecture: "sdxl",
        width: 1024,
        height: 1024,
        defaults: { sampler: "heun" },
      },
      { name: "odd", provider: "native", problem: "no U-Net" },
    ],
  }),
  "GET /api/v1/samplers": () => ({
    items: [
      { name: "ddim", label: "DDIM", schedules: ["model"], aliases: [], uses_eta: true },
      { name: "heun", label: "Heun", schedules: ["model", "karras"], aliases: [], evaluations_per_step: 2 },
      { name: "lcm", label: "LCM", schedules: ["model"], aliases: [] },
    ],
  }),
  "GET /api/v1/schedules": () => ({
    items: [
      { name: "model", label: "Automatic", samplers: [], aliases: [] },
      { name: "karras", label: "Karras", samplers: [], aliases: [] },
    ],
    spacings: ["model", "trailing"],
  }),
};

function Form({
  seen,
  ...props
}: { seen: (draft: RecipeDraft) => void } & Partial<Parameters<typeof RecipeFields>[0]>) {
  const [draft, setDraft] = useState<RecipeDraft>(props.value ?? {});
  return (
    <RecipeFields
      {...props}
      value={draft}
      onChange={(next) => {
        setDraft(next);
        seen(next);
      }}
    />
  );
}

const options = (label: string) =>
  [...(screen.getByLabelText(label) as HTMLSelectElement).options].map((one) => one.text);

it("offers legal combinations only and takes out what a change makes illegal", async () => {
  serve(answers);
  const seen = vi.fn();
  const user = userEvent.setup({ delay: null });
  renderAt("/", <Form seen={seen} />);
  await screen.findByRole("option", { name: "Heun" });
  expect(options("Sampler")).toEqual(["DDIM (default)", "DDIM", "Heun"]);
  expect(options("Schedule")).toEqual(["Default"]);
  await user.selectOptions(screen.getByLabelText("Sampler"), "heun");
  expect(await screen.findByText(/2 evaluations/)).toBeVisible();
  await user.selectOptions(screen.getByLabelText("Schedule"), "karras");
  expect(seen).toHaveBeenLastCalledWith({ sampler: "heun", schedule: "karras" });
  await user.selectOptions(screen.getByLabelText("Sampler"), "ddim");
  expect(seen.mock.lastCall?.[0].schedule).toBeUndefined();
  expect(screen.getByText(/does not go with this sampler/)).toBeVisible();
});

it("shows defaults as placeholders and takes numbers", async () => {
  serve(answers);
  const seen = vi.fn();
  const user = userEvent.setup({ delay: null });
  renderAt("/", <Form seen={seen} />);
  await screen.findByRole("option", { name: "Heun" });
  const steps = screen.getByLabelText("Steps");
  expect(steps).toHaveAttribute("placeholder", "20");
  await user.type(steps, "12");
  expect(seen.mock.lastCall?.[0].steps).toBe(12);
  await user.clear(steps);
  expect(seen.mock.lastCall?.[0].steps).toBeUndefined();
  await user.type(screen.getByLabelText("CFG scale"), "{ArrowUp}");
  expect(seen.mock.lastCall?.[0].cfg_scale).toBe(8);
  await user.type(screen.getByLabelText("Negative prompt"), "x");
  expect(seen.mock.lastCall?.[0].negative_prompt).toBe("x");
});

it("keeps, throws and frees the seed; shapes and swap set the size", async () => {
  serve(answers);
  const seen = vi.fn();
  const user = userEvent.setup({ delay: null });
  renderAt("/", <Form seen={seen} lastSeed={77} />);
  await screen.findByRole("option", { name: "Heun" });
  await user.click(screen.getByRole("button", { name: "Keep the seed" }));
  expect(seen.mock.lastCall?.[0].seed).toBe(77);
  await user.click(screen.getByRole("button", { name: "Throw a seed" }));
  expect(seen.mock.lastCall?.[0].seed).not.toBe(77);
  await user.click(screen.getByRole("button", { name: "Keep the seed" }));
  expect(seen.mock.lastCall?.[0].seed).toBeUndefined();
  await user.click(screen.getByRole("button", { name: "4:3" }));
  expect(seen.mock.lastCall?.[0]).toMatchObject({ width: 144, height: 112 });
  await user.click(screen.getByRole("button", { name: "Swap width and height" }));
  expect(seen.mock.lastCall?.[0]).toMatchObject({ width: 112, height: 144 });
  expect(screen.getByRole("button", { name: "3:4", pressed: true })).toBeVisible();
});

it("says what is wrong beside the field, and hides what it is told to", async () => {
  serve(answers);
  const problem = new Problem(422, "invalid", "", [
    { pointer: "/spec/base/steps", expected: "an integer from 1 to 1000" },
    { pointer: "/spec/base/eta", expected: "a number from 0 to 1" },
  ]);
  renderAt("/", <Form seen={() => {}} problem={problem} pointer="/spec/base" hide={["seed", "model"]} />);
  await screen.findByRole("option", { name: "Heun" });
  expect(screen.getByLabelText("Steps")).toHaveAccessibleDescription("an integer from 1 to 1000");
  expect(screen.getByLabelText("Eta")).toBeInvalid();
  expect(screen.queryByLabelText("Seed")).toBeNull();
  expect(screen.queryByLabelText("Model")).toBeNull();
});

it("names a model that is not installed, marks one that cannot be used, opens more for SDXL", async () => {
  serve(answers);
  const seen = vi.fn();
  const user = userEvent.setup({ delay: null });
  const problem = new Problem(404, "model_not_found", "no model 'gone' is installed", []);
  renderAt("/", <Form seen={seen} value={{ model: "gone" }} problem={problem} />);
  expect(await screen.findByRole("option", { name: "odd (cannot be used)" })).toBeDisabled();
  expect(screen.getByLabelText("Model")).toHaveValue("gone");
  expect(screen.getByLabelText("Model")).toHaveAccessibleDescription(/no model/);
  await user.selectOptions(screen.getByLabelText("Model"), "big");
  await user.click(screen.getByText("Advanced"));
  await user.type(screen.getByLabelText("Crop left"), "8");
  expect(seen.mock.lastCall?.[0]).toMatchObject({ model: "big", crop_left: 8 });
  await user.selectOptions(screen.getByLabelText("Spacing"), "trailing");
  await user.selectOptions(screen.getByLabelText("Random numbers"), "cuda");
  expect(seen.mock.lastCall?.[0]).toMatchObject({ spacing: "trailing", rng: "cuda" });
});
