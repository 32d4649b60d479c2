/*
 * experiments.h: the tables experiments and experiment_runs.
 *
 * experiments -> experiment_runs -> generations: the spec is stored as it was written; starting
 * makes a run; a run's cells are generations with run_id and cell. Counters of a run are kept by
 * jobs.h in the transactions that end generations, so they are always exact. Threads: as its
 * transaction. Ownership: texts live in the arena.
 */
#ifndef STORAGE_EXPERIMENTS_H
#define STORAGE_EXPERIMENTS_H

#include "base/uuid.h"
#include "storage/db.h"
#include "storage/generations.h"

enum experiment_status {
    EXPERIMENT_DRAFT,
    EXPERIMENT_RUNNING,
    EXPERIMENT_PAUSED,
    EXPERIMENT_COMPLETED,
    EXPERIMENT_FAILED, /* every cell failed */
    EXPERIMENT_CANCELLED,
};
const char *experiment_status_name(enum experiment_status s);
bool experiment_status_by_name(struct str name, enum experiment_status *out);

struct experiment {
    const char *id, *name, *type;  /* "convergence", "cfg", "parameter_sweep" */
    const char *config;            /* the spec's JSON, as written */
    enum experiment_status status; /* of its last run, else draft */
    const char *user_id;           /* NULL: nobody */
    int64_t created_at, updated_at;
    int runs;
    int64_t version; /* for optimistic locking */
};

struct run {
    const char *id, *experiment_id;
    int number; /* 1, 2, ... */
    enum experiment_status status;
    const char *spec; /* that it was planned from */
    const char *plan; /* JSON: summary of the plan (axes with values, totals) */
    int64_t total, completed, failed, cancelled, impossible, reused;
    int64_t created_at, started_at, finished_at;
    int64_t budget_ms;      /* 0: none; the run is cancelled when it is used up */
    double seconds_drawing; /* sum over its pictures */
};

WARN_UNUSED_RESULT int experiments_insert(struct tx *tx, const struct experiment *x, struct err *e);
WARN_UNUSED_RESULT int experiments_get(struct tx *tx, const char *id, struct arena *a,
                                       struct experiment *out, struct err *e);
/* Name and spec of an experiment; ERR_CONFLICT unless its version is still `version`. */
WARN_UNUSED_RESULT int experiments_update(struct tx *tx, const char *id, int64_t version,
                                          const char *name, const char *type, const char *config,
                                          int64_t now, struct err *e);
/* Deleting is trash.h's; what is deleted is not found here. */
struct experiment_filter {
    const char *user_id, *type, *text; /* NULL: any */
    int status;                        /* -1: any */
    int limit;
    const char *cursor;
};
WARN_UNUSED_RESULT int experiments_list(struct tx *tx, const struct experiment_filter *f,
                                        struct arena *a, struct experiment **out, size_t *count,
                                        const char **next, struct err *e);

/* A run and all its cells, in pieces of one transaction each if need be: runs_insert with status
 * paused, generations_insert in chunks, then runs_set_status running. Fills number. */
WARN_UNUSED_RESULT int runs_insert(struct tx *tx, struct run *run, struct err *e);
WARN_UNUSED_RESULT int runs_get(struct tx *tx, const char *id, struct arena *a, struct run *out,
                                struct err *e);
WARN_UNUSED_RESULT int runs_last(struct tx *tx, const char *experiment_id, struct arena *a,
                                 struct run *out, struct err *e);
WARN_UNUSED_RESULT int runs_list(struct tx *tx, const char *experiment_id, struct arena *a,
                                 struct run **out, size_t *count, struct err *e);
/* Also the experiment's status, when it is its last run. ERR_CONFLICT for a change that makes no
 * sense (a finished run resumed). */
WARN_UNUSED_RESULT int runs_set_status(struct tx *tx, const char *id, enum experiment_status status,
                                       int64_t now, struct err *e);
/* Running again, also after its end: it was extended. */
WARN_UNUSED_RESULT int runs_reopen(struct tx *tx, const char *id, int64_t now, struct err *e);
/* Count the cells again and end the run when none waits; for new runs whose cells all existed, and
 * for extensions. */
WARN_UNUSED_RESULT int runs_recount(struct tx *tx, const char *id, int64_t now, struct arena *a,
                                    struct run *out, struct err *e);
WARN_UNUSED_RESULT int runs_set_plan(struct tx *tx, const char *id, const char *spec,
                                     const char *plan, struct err *e);
/* The cell with index i becomes places[i]; rows whose place is -1 keep their index. */
WARN_UNUSED_RESULT int runs_renumber(struct tx *tx, const char *id, const int64_t *places,
                                     size_t count, struct err *e);
/* Runs whose budget of time is used up. */
WARN_UNUSED_RESULT int runs_over_budget(struct tx *tx, int64_t now, struct arena *a,
                                        const char ***ids, size_t *count, struct err *e);
/* The cells of a run that have a picture, by index, with as little as pairing them needs. */
struct cell_picture {
    const char *id;          /* of the generation */
    const char *sha256;      /* of the picture */
    const char *prompt_hash; /* equal for equal prompts */
    const char *seed;        /* decimal */
    int64_t cell;
};
WARN_UNUSED_RESULT int runs_pictures(struct tx *tx, const char *id, struct arena *a,
                                     struct cell_picture **out, size_t *count, struct err *e);
/* All cells of a run, in the order of their index: for grids, analysis and exports. */
WARN_UNUSED_RESULT int runs_cells(struct tx *tx, const char *id, struct arena *a,
                                  struct generation **out, size_t *count, struct err *e);

#endif
