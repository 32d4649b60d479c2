export const recipe = {
  title: "Recipe",
};
