// Keeps what is cached of an experiment (experimentQuery, gridQuery) with what happens to it, for every tab of its page.
//
//   useExperimentLive(id);     // once, on the page; tabs just read the caches
//
// Events are hints and may be dropped or come late, so three things mend what they miss: an answer that was asked for
// before an event came is corrected by that event; after a reconnection, and when the counters of the run say more
// cells than are known, the pages that may have changed are asked again; and a slow poll (a quick one while the
// connection is away) asks for the counters.
import { type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { api, call, type Experiment, type Generation } from "@/api/client";
import { experimentQuery, generationQuery } from "@/api/queries";
import { listen, useLink } from "@/api/socket";
import { endedCells, endedOf, type GridPages, isOpen, mergeCells, mergeProgress, type Progress } from "./merge";

interface CellEvent {
  run_id: string;
  generation: Generation;
}
type Said = { tick: number; run: string; generation: Generation };

/** Milliseconds between two looks at the caches: ten a second are seen as live, sixty only cost. */
const PAUSE = 100;
/** How long counters may run ahead of cells before cells count as lost. */
const PATIENCE = 3000;
const POLL = { online: 15_000, away: 4_000 };

/** Follows an experiment until the returned function is called. */
export function follow(client: QueryClient, id: string): () => void {
  const live = new Follower(client, id);
  return () => live.stop();
}

class Follower {
  private tick = 0;
  private readonly said = new Map<string, Said>();
  private readonly waiting = new Map<string, Said>();
  private progress: Progress | undefined;
  /** Of each run: the newest sequence, and when it came. */
  private readonly newest = new Map<string, { sequence: number; tick: number; event: Progress }>();
  /** Queries that are being asked, with the tick at which that began. */
  private readonly asking = new Map<string, number>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private lossTimer: ReturnType<typeof setTimeout> | undefined;
  private frame: number | undefined;
  private resyncing: Promise<void> | undefined;
  private mended = "";
  /** The newest run that was asked for because an event named it. */
  private begun = 0;
  private ended = false;
  private readonly endings: (() => void)[];

  constructor(
    private readonly client: QueryClient,
    private readonly id: string,
  ) {
    this.endings = [
      listen(
        [`experiment:${id}`],
        {
          [`experiment:${id}:progress`]: (event: Progress) => this.onProgress(event),
          [`experiment:${id}:cell`]: (event: CellEvent) => this.onCell(event),
        },
        () => this.resume(),
      ),
      client.getQueryCache().subscribe((event) => {
        if (event.type !== "updated") return;
        const [kind, of] = event.query.queryKey;
        if (of !== id || (kind !== "experiment" && kind !== "grid")) return;
        const hash = event.query.queryHash;
        if (event.action.type === "fetch") this.asking.set(hash, this.tick);
        if (event.action.type === "success" && !event.action.manual) this.onAnswer(kind, hash);
      }),
    ];
  }

  stop(): void {
    this.ended = true;
    for (const end of this.endings) end();
    clearTimeout(this.timer);
    clearTimeout(this.lossTimer);
    if (this.frame !== undefined) cancelAnimationFrame(this.frame);
  }

  private onProgress(event: Progress): void {
    const last = this.newest.get(event.run_id);
    if (last && event.sequence <= last.sequence) return;
    this.newest.set(event.run_id, { sequence: event.sequence, tick: ++this.tick, event });
    if (!this.progress || event.number >= this.progress.number) this.progress = event;
    this.schedule();
  }

  private onCell({ run_id, generation }: CellEvent): void {
    const said = { tick: ++this.tick, run: run_id, generation };
    this.said.set(generation.id, said);
    this.waiting.set(generation.id, said);
    this.schedule();
  }

  /** A hidden tab gets no frames; its title still has to go on. */
  private schedule(): void {
    this.timer ??= setTimeout(() => {
      if (document.hidden) this.flush();
      else this.frame = requestAnimationFrame(() => this.flush());
    }, PAUSE);
  }

  private flush(): void {
    this.timer = undefined;
    this.frame = undefined;
    this.applyCells(this.waiting);
    this.waiting.clear();
    const progress = this.progress;
    this.progress = undefined; // said once: what is asked for later is newer
    if (progress) this.applyProgress(progress);
    this.lossTimer ??= this.countLater();
  }

  private applyCells(said: ReadonlyMap<string, Said>): void {
    const runs = new Map<string, Map<string, Generation>>();
    for (const { run, generation } of said.values()) {
      let cells = runs.get(run);
      if (!cells) {
        cells = new Map();
        runs.set(run, cells);
      }
      cells.set(generation.id, generation);
      const key = generationQuery(generation.id).queryKey;
      if (this.client.getQueryState(key)) this.client.setQueryData(key, generation);
    }
    for (const [run, cells] of runs)
      this.client.setQueriesData<GridPages>(
        { queryKey: ["grid", this.id] },
        (old) => old && mergeCells(old, run, cells),
      );
  }

  private applyProgress(event: Progress): void {
    const key = experimentQuery(this.id).queryKey;
    const before = this.client.getQueryData(key);
    if (!before) return;
    if ((before.run?.number ?? 0) < event.number) {
      if (this.begun < event.number) this.askAll();
      this.begun = event.number;
    } else {
      this.client.setQueryData(key, mergeProgress(before, event));
      // It was extended, here or elsewhere: there are cells and values that no page has.
      if (before.run?.id === event.run_id && before.run.total !== event.total)
        void this.client.invalidateQueries({ queryKey: ["grid", this.id] });
      if (before.status !== event.status) this.onStatus();
    }
  }

  /** A run began or ended: what was said of its cells together is old. */
  private onStatus(): void {
    for (const kind of ["analysis", "runs"]) void this.client.invalidateQueries({ queryKey: [kind, this.id] });
  }

  private askAll(): void {
    for (const kind of ["experiment", "grid", "runs"])
      void this.client.invalidateQueries({ queryKey: [kind, this.id] });
  }

  /** The answer is as old as its question: what was heard since goes over it. */
  private onAnswer(kind: unknown, hash: string): void {
    const since = this.asking.get(hash) ?? 0;
    this.asking.delete(hash);
    // Not within the dispatch of the answer itself.
    queueMicrotask(() => {
      if (this.ended) return;
      if (kind === "grid") this.applySince(since);
      else {
        const run = this.client.getQueryData(experimentQuery(this.id).queryKey)?.run;
        const heard = run && this.newest.get(run.id);
        if (heard && heard.tick > since) this.applyProgress(heard.event);
        this.lossTimer ??= this.countLater();
      }
    });
  }

  private applySince(tick: number): void {
    this.applyCells(new Map([...this.said].filter(([, said]) => said.tick > tick)));
  }

  private resume(): void {
    void this.client.invalidateQueries({ queryKey: experimentQuery(this.id).queryKey });
    void this.resync();
  }

  /** Counters that are this old and still ahead of the cells mean lost events. Asked once for each state of them. */
  private countLater(): ReturnType<typeof setTimeout> {
    const then = this.run();
    const live = useLink.getState().state === "online";
    return setTimeout(
      () => {
        const now = this.run();
        this.lossTimer = now && then !== now ? this.countLater() : undefined;
        const mark = then && `${then.id} ${endedOf(then)} ${then.status}`;
        if (!mark || mark === this.mended || then.id !== now?.id) return;
        const pages = this.client.getQueriesData<GridPages>({ queryKey: ["grid", this.id] });
        if (!pages.some(([, data]) => data?.pages[0]?.run.id === then.id && isBehind(data, then))) return;
        this.mended = mark;
        void this.resync();
      },
      live ? PATIENCE : 0,
    );
  }

  private run(): Experiment["run"] | undefined {
    return this.client.getQueryData(experimentQuery(this.id).queryKey)?.run;
  }

  /** Asks again for the pages that may have changed, one after the other, once at a time. */
  private resync(): Promise<void> {
    this.resyncing ??= this.askPages()
      .catch(() => {}) // away still: the next poll or reconnection asks again
      .finally(() => {
        this.resyncing = undefined;
      });
    return this.resyncing;
  }

  private async askPages(): Promise<void> {
    for (const [key, data] of this.client.getQueriesData<GridPages>({ queryKey: ["grid", this.id] })) {
      const number = Number(key[2]) || undefined;
      for (const [index, page] of (data?.pages ?? []).entries()) {
        if (!isOpen(page) || this.ended) continue;
        const since = this.tick;
        const cursor = data?.pageParams[index];
        const query = { limit: 1000, ...(number ? { run: number } : {}), ...(cursor ? { cursor } : {}) };
        const answer = await call(
          api.GET("/api/v1/experiments/{id}/grid", { params: { path: { id: this.id }, query } }),
        );
        if (this.ended) return;
        this.client.setQueryData<GridPages>(key, (old) => {
          if (old?.pages[index]?.run.id !== answer.run.id) return old;
          return { ...old, pages: old.pages.with(index, answer) };
        });
        this.applySince(since);
      }
    }
  }
}

/** Whether cells that the run counts as ended are not known as such. Pages that are not here cannot be counted: then
 * any open page may be behind. */
function isBehind(pages: GridPages, run: NonNullable<Experiment["run"]>): boolean {
  const known = endedCells(pages, run.id);
  if (known !== undefined) return known < endedOf(run);
  return useLink.getState().state !== "online" && pages.pages.some(isOpen);
}

/** Follows an experiment while its page is open, and says whether events drive it or questions do. */
export function useExperimentLive(id: string): { live: boolean } {
  const client = useQueryClient();
  const link = useLink((state) => state.state);
  useEffect(() => follow(client, id), [client, id]);
  useQuery({
    ...experimentQuery(id),
    refetchInterval: ({ state }) =>
      state.data?.status === "running" || state.data?.status === "paused"
        ? link === "online"
          ? POLL.online
          : POLL.away
        : false,
  });
  return { live: link === "online" };
}
