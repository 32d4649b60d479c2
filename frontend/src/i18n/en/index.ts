import { analysis } from "./analysis";
import { builder } from "./builder";
import { common } from "./common";
import { compare } from "./compare";
import { detail } from "./detail";
import { experiments } from "./experiments";
import { gallery } from "./gallery";
import { generate } from "./generate";
import { grid } from "./grid";
import { judge } from "./judge";
import { login } from "./login";
import { models } from "./models";
import { monitor } from "./monitor";
import { people } from "./people";
import { pwa } from "./pwa";
import { queue } from "./queue";
import { recipe } from "./recipe";
import { servers } from "./servers";
import { settings } from "./settings";
import { system } from "./system";
import { tasks } from "./tasks";

// One file per feature, so that those who change a page find its words.
export const en = {
  analysis,
  builder,
  common,
  compare,
  detail,
  experiments,
  gallery,
  generate,
  grid,
  judge,
  login,
  models,
  monitor,
  people,
  pwa,
  queue,
  recipe,
  servers,
  settings,
  system,
  tasks,
};
