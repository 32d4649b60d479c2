export const detail = {
  title: "Detail",
};
