/*
 * kind.h: what a task makes of a record: one const table for each kind, listed in kind.c. Pictures
 * (kind_image.c) are drawn by jobs; captions (kind_caption.c) are made here, by a describer. A kind
 * that is added (video, audio, text) needs a table and a line in the list; reading, object storage,
 * results, callbacks, canary, reports and pages come with it. docs/tasks.md shows how.
 *
 *   const struct task_kind *k = task_kind_by_name(str_from("image"));
 *   struct work *works; size_t count;
 *   if (k->plan(&context, &record, &arena, &works, &count, &problem, &e)) ...
 *
 * Threads: tables are constant; a context belongs to one thread. Ownership: the arena's.
 */
#ifndef TASKS_KIND_H
#define TASKS_KIND_H

#include "tasks/document.h"

/* What a kind works with: made per task and thread. */
struct kind_context {
    const struct tasks *tasks;
    const struct task_document *document;
    const struct task *task;
    struct objects *destination;
    void *own; /* of the kind: open, close */
};

/* One thing to be made. A record has `count` of them. */
struct work {
    char key[65]; /* of everything that decides the result: records with equal keys share it */
    const char *object; /* name within the destination */
    /* JSON object: all that `make` needs, and what is shown of it. {"record", "number",
     * "parameters" (of kinds that draw), "metadata"? (object of texts, of the object in storage)}
     */
    const char *request;
    struct wish wish;    /* kinds that draw: parameters resolved into wish.recipe and wish.key */
    const char *stratum; /* for the canary */
};
/* Why a record cannot be. */
struct mapping_problem {
    const char *field;   /* "text.prompt", or a parameter; NULL: the whole */
    const char *message; /* "expected a text, got a number (7)" */
};

struct made {
    struct str bytes;
    const char *type;   /* media type */
    const char *sha256; /* hex */
    bool reused;
    double seconds;  /* of making it, 0 when it existed */
    json_t *outcome; /* object: recipe, model digest, what else; a new reference */
};

struct task_kind {
    const char *name;
    const char *summary;   /* one line, for lists */
    const char *extension; /* of objects, unless the document says otherwise */
    const char *media;     /* "image", "text": how it is shown */
    bool draws;            /* results come from jobs: `make` is called when the generation ended */
    bool has_canary;       /* the sample can be an experiment */
    /* Members of `fields` and of the document that only this kind knows. */
    int (*check)(const struct tasks *t, const struct task_document *d, struct arena *a,
                 struct task_problems *problems);
    int (*open)(struct kind_context *c, struct err *e); /* or NULL */
    void (*close)(struct kind_context *c);
    /* A record becomes works. ERR_ARG with *problem: this record cannot be; anything else stops the
     * reading for a while. */
    int (*plan)(struct kind_context *c, const struct record *record, struct arena *a,
                struct work **out, size_t *count, struct mapping_problem *problem, struct err *e);
    /* The bytes to be stored. ERR_NETWORK: worth another try; others are final. */
    int (*make)(struct kind_context *c, const struct task_record *row, struct arena *a,
                struct made *out, struct err *e);
    /* One value of the named settings of the canary's spec: {"label", "set"}, without the seed,
     * which is w->wish.recipe->seed; a new reference. */
    json_t *(*sample)(struct kind_context *c, const struct work *w, const struct record *record);
};

const struct task_kind *task_kind_by_name(struct str name); /* NULL */
const struct task_kind *const *task_kinds(void);            /* NULL-ended */
extern const struct task_kind task_kind_image, task_kind_caption;

#endif
