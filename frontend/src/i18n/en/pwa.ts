export const pwa = {
  waiting: { one: "{n} change waits for the server", other: "{n} changes wait for the server" },
  refused: "The server did not take a change that was made offline: {why}",
  dismiss: "Dismiss",
};
