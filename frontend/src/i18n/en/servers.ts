export const servers = {
  title: "Servers",
};
