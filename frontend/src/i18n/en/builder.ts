export const builder = {
  title: "Builder",
};
