/*
 * sentry.h: error reports to a Sentry server, as envelopes over HTTP, and crash reports.
 *
 *   struct sentry *s;
 *   if (sentry_open(&(struct sentry_options){.dsn = getenv("SENTRY_DSN"), ...}, &s, &e)) ...
 *   sentry_report(s, &(struct sentry_event){.message = "...", .request_id = id});
 *   sentry_close(s, 2.0);
 *
 * Reports go through a bounded queue and one thread: a server that is away costs nothing but the
 * report. A crash (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) writes its signal and addresses into a
 * file that was opened before, then dies as it would have; the next start sends the file. Formats:
 * develop.sentry.dev, "Envelopes" and "Event Payloads". Threads: any may report.
 */
#ifndef OPS_SENTRY_H
#define OPS_SENTRY_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct egress; /* net/egress.h */
struct sentry;

struct sentry_options {
    const char *dsn; /* "https://KEY@HOST/PROJECT"; NULL or "": no reports, crashes are kept */
    const char *release, *environment, *server_name;
    const char *crash_folder;    /* NULL: crashes are not written */
    const struct egress *egress; /* asked when it is opened; NULL: every host */
};
struct sentry_event {
    const char *level;           /* "error", "fatal", "warning"; NULL: error */
    const char *message, *place; /* file:line, or NULL */
    const char *request_id, *trace_id, *job, *operation; /* or NULL */
};
struct sentry_stats {
    int64_t sent, failed, dropped;
};

/* ERR_ARG for a DSN that is none, ERR_DENIED for a host that the egress list does not have. */
WARN_UNUSED_RESULT int sentry_open(const struct sentry_options *o, struct sentry **out,
                                   struct err *e);
/* Gives the queue that long to empty itself. */
void sentry_close(struct sentry *s, double seconds);
void sentry_report(struct sentry *s, const struct sentry_event *event);
void sentry_stats(struct sentry *s, struct sentry_stats *out);

/* Catch crashes of this process; once. */
WARN_UNUSED_RESULT int crash_catch(const char *folder, const char *release, struct err *e);

#endif
