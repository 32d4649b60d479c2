export const pwa = {
  title: "Install",
};
