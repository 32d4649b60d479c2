/*
 * generations_rows.h: what generations*.c, runs.c and jobs_*.c share: reading generations out of
 * rows, and the words of a prompt.
 */
#ifndef STORAGE_GENERATIONS_ROWS_H
#define STORAGE_GENERATIONS_ROWS_H

#include "storage/generations.h"

/* What generations and deleted_generations both have. */
#define GENERATION_STORED                                                                          \
    "id, user_id, run_id, experiment_id, cell, replicate, axes, key, status, reused, prompt, "     \
    "prompt_hash, negative_prompt, model_name, model_digest, sampler, schedule, provider, seed, "  \
    "steps, width, height, cfg_scale, parameters, metadata, error_code, error, attempts, rating, " \
    "favourite, created_at, generated_at, seconds, file_path"
/* From generations g and its picture, images i (GENERATION_PICTURE). */
#define GENERATION_COLUMNS                                                                         \
    "g.id, g.user_id, g.run_id, g.experiment_id, g.cell, g.replicate, g.axes, g.key, g.status, "   \
    "g.reused, g.prompt, g.negative_prompt, g.model_name, g.model_digest, g.sampler, g.schedule, " \
    "g.provider, g.seed, g.steps, g.width, g.height, g.cfg_scale, g.parameters, g.metadata, "      \
    "g.error_code, g.error, g.attempts, g.rating, g.favourite, g.created_at, g.generated_at, "     \
    "i.sha256, i.format, i.bytes, i.memory_used, i.seconds, i.measures"
#define GENERATION_PICTURE " LEFT JOIN images i ON i.key = g.key AND g.status = 'succeeded'"
enum { GENERATION_WIDTH = 37 };

/* The words of their prompts, where no trigger adds them. */
WARN_UNUSED_RESULT int generations_insert_words(struct tx *tx, const struct generation *rows,
                                                size_t count, struct arena *a, struct err *e);

/* All rows, with their tags. */
WARN_UNUSED_RESULT int generations_from_rows(struct tx *tx, const struct db_rows *rows,
                                             size_t count, struct arena *a, struct generation **out,
                                             struct err *e);

/* Letters and digits that stand together, in the order of the text, each once; `fold` takes away
 * case and accents. */
struct words {
    const char **items;
    size_t count;
};
struct words words_of(const char *text, bool fold, struct arena *a);
/* A search for them in the language of the database's index; NULL when the text has no words. A
 * word followed by '*' stands for all that begin with it. */
const char *words_query(enum db_dialect dialect, const char *text, struct arena *a);

/* 16 hex digits that equal prompts share. */
void prompt_hash(const char *prompt, char out[17]);

#endif
