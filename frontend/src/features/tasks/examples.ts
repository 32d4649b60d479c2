// Documents to begin with; docs/tasks.md explains every member.
export const exampleNames = ["jsonl", "csv", "mongodb", "caption"] as const;
export type ExampleName = (typeof exampleNames)[number];

const documents: Record<ExampleName, object> = {
  jsonl: {
    version: 1,
    name: "my-first-task",
    source: { type: "jsonl", path: "prompts.jsonl" },
    model: { model: "demo", parameters: { steps: 20, cfg_scale: 4 } },
    fields: { prompt: "prompt" },
    destination: { url: "file:my-first-task", object: "{record_id}/{seed}.{ext}" },
    results: { type: "jsonl", path: "my-first-task/results.jsonl" },
  },
  csv: {
    version: 1,
    name: "catalogue",
    source: { type: "csv", path: "catalogue.csv", id: "sku" },
    model: { model: "demo", parameters: { steps: 20 } },
    fields: { prompt: { template: "a photo of {title}" }, negative_prompt: "avoid" },
    destination: { url: "s3://my-bucket/catalogue", object: "{record_id}/{seed}.{ext}", if_exists: "fail" },
    canary: { count: 12, by: ["category"] },
  },
  mongodb: {
    version: 1,
    name: "shop-autumn",
    source: { type: "mongodb", connection: "shop", database: "shop", collection: "prompts", query: { ready: true } },
    model: {
      config: "product-shots",
      from: { type: "mongodb", connection: "shop", database: "shop", collection: "model_configs" },
    },
    fields: { prompt: "text.prompt", negative_prompt: "text.negative", seed: "seed", overrides: "overrides" },
    destination: { url: "gs://my-bucket/autumn", object: "{dataset}/{record_id}/{seed}.{ext}" },
    results: { type: "mongodb", collection: "results" },
    callbacks: { url: "https://example.org/hooks/images", secret: "hooks", on: ["batch", "end"], batch: 100 },
    canary: { count: 16 },
    cost: { per_hour: 1.2, currency: "EUR" },
  },
  caption: {
    version: 1,
    name: "captions",
    kind: "caption",
    source: { type: "jsonl", path: "pictures.jsonl" },
    fields: { image: "image", hint: "title" },
    destination: { url: "file:captions" },
  },
};

export const exampleText = (name: ExampleName): string => JSON.stringify(documents[name], null, 2);
