/*
 * document_parts.h: reading a task's document member by member, with every problem at its place;
 * private to tasks/.
 *
 *   struct part p = {r, json_object_get(document, "canary"), "/canary"};
 *   part_members(&p, (const char *const[]){"count", "by", NULL});
 *   int count = (int)part_integer(&p, "count", 1, 200, 0);
 *
 * A member that is absent gives the fallback; one that is wrong is noted and gives the fallback,
 * too. Threads: none shared. Ownership: texts belong to the document.
 */
#ifndef TASKS_DOCUMENT_PARTS_H
#define TASKS_DOCUMENT_PARTS_H

#include "tasks/document.h"

struct document_reading {
    const struct tasks *tasks;
    struct task_document *document;
    struct arena *arena; /* of the problems */
    struct task_problems *problems;
};
/* An object of the document. */
struct part {
    struct document_reading *reading;
    const json_t *object;
    const char *at; /* its pointer; "" for the document */
};

/* `key` NULL: the object itself. */
void part_problem(const struct part *p, const char *key, const char *format, ...) PRINTF_LIKE(3, 4);
/* An object's place, or an array's: at most 50 problems are kept. */
void task_problem(struct task_problems *problems, struct arena *a, const char *pointer,
                  const char *format, ...) PRINTF_LIKE(4, 5);
/* at + "/" + key, as RFC 6901 writes it. */
const char *part_pointer(struct arena *a, const char *at, const char *key);

/* Refuse members that are not in the list (NULL-ended), with the nearest that is. */
void part_members(const struct part *p, const char *const *known);
/* The member as a part; object NULL when it is absent or no object (which is noted). */
struct part part_object(const struct part *p, const char *key, bool needed);
/* NULL when absent, and not an error. */
const char *part_text(const struct part *p, const char *key, size_t least, size_t most,
                      const char *fallback);
int64_t part_integer(const struct part *p, const char *key, int64_t low, int64_t high,
                     int64_t fallback);
double part_number(const struct part *p, const char *key, double low, double high, double fallback);
bool part_flag(const struct part *p, const char *key, bool fallback);
/* One of a few words (NULL-ended). */
const char *part_word(const struct part *p, const char *key, const char *const *words,
                      const char *fallback);

/* document_parts of their own: */
void document_read_callbacks(struct document_reading *r, const struct part *root);
void document_read_destination(struct document_reading *r, const struct part *root);
void document_read_model(struct document_reading *r, const struct part *root);
/* Of `fields`: whether it is a path, or one of the objects that stand for one. */
void document_check_field(const struct part *fields, const char *key);
/* An object of parameters of generations. */
void document_check_parameters(const struct part *p, bool seed);

#endif
