/*
 * live.h: what is being drawn at this moment: the last step and the last preview of each
 * generation, as the bus told them.
 *
 *   struct live *live = live_new(bus);
 *   struct live_step step;
 *   if (live_step(live, id, &step)) ... step.step of step.steps ...
 *   live_watch(live, id);                        previews are made only for who watches
 *   if (live_preview(live, id, seen, &arena, &step, &jpeg)) ...
 *   live_free(live);                             before the bus
 *
 * Hints for screens, as the bus's events are: nothing depends on them. The last LIVE_ROOM
 * generations are remembered. Threads: any; one lock, held for copies only. Ownership: previews are
 * copied into the arena.
 */
#ifndef API_LIVE_H
#define API_LIVE_H

#include "base/arena.h"
#include "jobs/bus.h"

#include <stdbool.h>
#include <stdint.h>

struct live;

enum { LIVE_ROOM = 128, LIVE_PREVIEW_MAX = 1 << 20 };

struct live_step {
    int step, steps;
    int previews; /* how many came so far */
};

/* NULL when memory ended. */
struct live *live_new(struct bus *bus);
void live_free(struct live *l);

/* False: nothing is known of it. */
bool live_step(struct live *l, const char *generation_id, struct live_step *out);
/* Another number after each change. */
uint64_t live_version(struct live *l);
/* Somebody looks at it for the next few seconds. */
void live_watch(struct live *l, const char *generation_id);
/* The newest preview, when more than `seen` came: a JPEG. */
bool live_preview(struct live *l, const char *generation_id, int seen, struct arena *a,
                  struct live_step *step, struct str *jpeg);

#endif
