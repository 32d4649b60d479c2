/*
 * judge.h: what people's verdicts on pairs of pictures say about the values of an experiment's
 * axes, and which pairs to ask about next.
 *
 *   struct judge *j = judge_new(spec);
 *   judge_add(j, &(struct judge_vote){left_id, left_axes, right_id, right_axes, 0.5});
 *   if (judge_fit(j, &e)) ...
 *   j->axes[i].values[k].strength ...                                       scores
 *   if (judge_pairs(j, spec, &wanted, &arena, &pairs, &found, &remaining, &e)) ...
 *   judge_free(j);
 *
 * The model is Bradley and Terry's ("Rank analysis of incomplete block designs", Biometrika 1952)
 * with a strength for each value of each axis that makes up a setting: the log-odds that the left
 * picture wins are the sum over the axes of strength(left's value) - strength(right's value). A tie
 * is half a win for each. docs/experiments.md has the formulas.
 *
 * Threads: one at a time. Ownership: texts are copied; results belong to the judge.
 */
#ifndef EXPERIMENTS_JUDGE_H
#define EXPERIMENTS_JUDGE_H

#include "base/map.h"
#include "experiments/spec.h"

enum {
    JUDGE_PARAMETERS = 512, /* values that are fitted; votes on others are left out */
    JUDGE_PAIRS = 100,      /* at most, of one call */
};
/* Standard deviation of the prior of a strength: its precision, 1/4, is the information of one vote
 * between equals (p (1 - p) at 1/2), so it weighs what one such vote weighs. It keeps the strengths
 * of values that always won finite. */
#define JUDGE_PRIOR 2.0

struct judge_value {
    const char *label;
    json_t *value;
    int64_t votes, wins, losses, ties;    /* of pictures that differ on this axis */
    double strength, low, high, win_rate; /* NAN: never compared */
    size_t parameter;                     /* SIZE_MAX: none */
};
struct judge_axis {
    const char *name;
    struct judge_value *values; /* of the spec, then those that only votes name */
    size_t count, room;
    int64_t votes;  /* between pictures that differ on it */
    size_t of_spec; /* index in the spec */
    size_t *levels; /* of the spec's points: indices of values */
};
struct judge_verdict {          /* inside */
    const size_t *left, *right; /* an index of a value per axis; SIZE_MAX: none */
    double won;
};
struct judge {
    struct judge_axis *axes;
    size_t axis_count;
    struct judge_verdict *verdicts;
    size_t verdict_count, verdict_room;
    size_t parameters;
    double *strengths, *covariance; /* of the parameters, once fitted */
    struct map values, pictures;    /* "axis:value" -> index + 1; identifier -> its values */
    struct arena arena;
};

/* The axes that make up a setting, with the spec's values. */
struct judge *judge_new(const struct spec *spec);
void judge_free(struct judge *j); /* NULL is fine */

struct judge_vote {
    const char *left, *left_axes, *right, *right_axes; /* identifiers; JSON {axis: value} */
    double won;                                        /* by the left one: 1, 0, or 0.5 */
};
/* Votes on pictures whose axes cannot be read say nothing. */
void judge_add(struct judge *j, const struct judge_vote *v);
/* Newton's method on the penalised log-likelihood; strengths are centred per axis over the values
 * that were compared; intervals are 95 %, from the inverse of the observed information. ERR_NOMEM.
 */
WARN_UNUSED_RESULT int judge_fit(struct judge *j, struct err *e);
/* How much a vote on these values would tell, in nats: log(1 + p (1 - p) x' C x) / 2 with C the
 * covariance of the strengths: large for values that were compared seldom or stand close together.
 * After judge_fit. */
double judge_gain(const struct judge *j, const size_t *left, const size_t *right);

struct judge_picture {
    const char *id, *picture, *prompt, *seed; /* texts that are equal or not */
    size_t cell;                              /* index in the plan */
};
struct judge_pair {
    size_t left, right; /* indices of pictures */
};
struct judge_wanted {
    const struct judge_picture *pictures;
    size_t count;
    const bool *may_differ;         /* per axis of the spec */
    const char *const (*judged)[2]; /* identifiers of pairs that do not come again */
    size_t judged_count;
    size_t limit;    /* 1..JUDGE_PAIRS */
    uint64_t chance; /* seed of what is left to chance */
};
/* Pairs of equal prompt and seed that differ in the axes that may, and in no other. *remaining: how
 * many were not judged; equal pictures count as one. Pairs are drawn by chance where there are
 * many, so the cost grows with pictures and votes, not with pairs. */
WARN_UNUSED_RESULT int judge_pairs(const struct judge *j, const struct spec *spec,
                                   const struct judge_wanted *w, struct arena *a,
                                   struct judge_pair **out, size_t *found, int64_t *remaining,
                                   struct err *e);

#endif
