/*
 * log.h: what the program did, one line an event, for machines (JSON) or people (text).
 *
 *   log_open(&(struct log_options){.level = LOG_INFO, .json = true, .file = stderr});
 *   LOG(LOG_INFO, "job finished", LOG_TEXT("job", id), LOG_NUMBER("seconds", s));
 *
 *   struct log_context former = log_enter((struct log_context){.request_id = id});
 *   ... every line of this thread carries request_id ...
 *   log_leave(former);
 *
 * Before log_open, and below its level, nothing is written. Threads: any; a line is one write. The
 * sink is the one piece of state that the whole process shares: it is opened once, by main.
 * Ownership: everything is borrowed for the call; a context's texts until log_leave.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR, LOG_OFF };

struct log_options {
    enum log_level level;
    bool json;
    FILE *file; /* stays open as long as the program logs */
};
void log_open(const struct log_options *o);
bool log_enabled(enum log_level level);

/* What the lines of this thread belong to: of the request, through the job, to the engine. NULL:
 * absent. */
struct log_context {
    const char *request_id, *trace_id, *job, *user;
};
struct log_context log_enter(struct log_context context); /* returns the former one */
void log_leave(struct log_context former);
struct log_context log_here(void);

struct log_field {
    const char *name; /* NULL ends a list */
    const char *text; /* NULL: the number counts */
    double number;
};
static inline struct log_field log_text_field(const char *name, const char *value)
{
    return (struct log_field){name, value ? value : "", 0};
}
#define LOG_TEXT(name, value)   log_text_field((name), (value))
#define LOG_NUMBER(name, value) ((struct log_field){(name), NULL, (double)(value)})
#define LOG_ERR(e)              ((struct log_field){"error", (e)->message, 0})

void log_write(enum log_level level, const char *event, const struct log_field *fields);
#define LOG(level, ...) LOG_LIST(level, __VA_ARGS__, {0})
#define LOG_LIST(level, event, ...)                                                                \
    do {                                                                                           \
        if (log_enabled(level))                                                                    \
            log_write((level), (event), (struct log_field[]){__VA_ARGS__});                        \
    } while (0)

bool log_level_by_name(const char *name, enum log_level *out); /* debug info warning error off */

#endif
