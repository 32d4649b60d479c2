// A picture's recipe, out of its file into the form.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, call } from "@/api/client";
import { samplersQuery, schedulesQuery } from "@/api/queries";
import { readPicture } from "./files";
import { type Recovered, recover } from "./infotext";
import { type Source, useStudio } from "./store";

export interface Outcome {
  file: Extract<Source, { kind: "file" }>;
  /** Absent: the picture carries no recipe. */
  recovered?: Recovered;
}

export function useRecover() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (picture: File): Promise<Outcome> => {
      const file = await readPicture(picture);
      const [answer, samplers, schedules] = await Promise.all([
        call(api.POST("/sdapi/v1/png-info", { body: { image: file.data } })),
        client.ensureQueryData(samplersQuery),
        client.ensureQueryData(schedulesQuery),
      ]);
      return { file, recovered: recover(answer, samplers.items, schedules.items) };
    },
    onSuccess: ({ recovered }) => {
      if (recovered) useStudio.getState().set({ draft: recovered.draft });
    },
  });
}
