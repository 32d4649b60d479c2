export const grid = {
  title: "Grid",
};
