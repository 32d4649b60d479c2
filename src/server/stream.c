/*
 * Bodies that are made while they are sent. libmicrohttpd asks for bytes on an event thread; when
 * there are none, the connection is suspended and a worker asks the stream. So the buffer is
 * touched by one side at a time, and pauses hold no thread.
 */
#include "server/exchange.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM = 32768 };
static const double busy_pause = 0.05; /* seconds, when a stream asks for none */
static const double longest_nap = 0.5; /* a pause is slept in naps: the server may stop meanwhile */

struct flow {
    struct request *request;
    struct stream stream;
    struct job job;
    double awake; /* clock_seconds when the pause is over */
    ssize_t end;  /* what libmicrohttpd is told after the last byte; 0: not yet */
    size_t n, used;
    char bytes[ROOM];
};

static void nap(struct flow *f);

static void rested(void *user, enum wake why)
{
    struct flow *f = user;
    struct http_server *s = f->request->server;

    if (why == WAKE_GONE)
        f->request->gone = true;
    if (why == WAKE_TIME && !s->stopping && clock_seconds() < f->awake)
        nap(f);
    else
        pool_add(s->pool, &f->job, true);
}

/* The flow is the watch's from here on. */
static void nap(struct flow *f)
{
    struct request *r = f->request;
    double rest = f->awake - clock_seconds();

    rest = rest < 0 ? 0 : rest > longest_nap ? longest_nap : rest;
    watch_add(r->server->watch, r->connection->fd, rest, rested, f);
}

/* On a worker. */
static void fill(void *user)
{
    struct flow *f = user;
    struct request *r = f->request;
    struct http_server *s = r->server;
    long n = -2;

    if (!r->gone && !s->cancelled) {
        struct log_context former =
            log_enter((struct log_context){.request_id = r->id, .trace_id = r->trace});
        n = f->stream.next(f->stream.user, f->bytes, ROOM);
        log_leave(former);
    }
    if (n == 0 && !s->stopping) {
        double pause = f->stream.pause > busy_pause ? f->stream.pause : busy_pause;
        f->awake = clock_seconds() + pause;
        nap(f);
        return;
    }
    if (n > 0) {
        f->n = (size_t)n;
        f->used = 0;
    } else {
        f->end = n < -1 ? MHD_CONTENT_READER_END_WITH_ERROR : MHD_CONTENT_READER_END_OF_STREAM;
    }
    exchange_continue(r);
}

/* On the event thread. */
static ssize_t read_flow(void *user, uint64_t at, char *out, size_t most)
{
    struct flow *f = user;
    struct request *r = f->request;
    size_t n = f->n - f->used < most ? f->n - f->used : most;

    (void)at;
    if (n) {
        memcpy(out, f->bytes + f->used, n);
        f->used += n;
        r->sent += (int64_t)n;
        return (ssize_t)n;
    }
    if (f->end)
        return f->end;
    if (!suspended_add(r->server))
        return MHD_CONTENT_READER_END_WITH_ERROR;
    MHD_suspend_connection(r->mhd);
    pool_add(r->server->pool, &f->job, true);
    return 0;
}

static void release(void *user)
{
    struct flow *f = user;

    if (f->stream.release)
        f->stream.release(f->stream.user);
    free(f);
}

struct MHD_Response *stream_response(struct request *r, const struct stream *s)
{
    struct flow *f = calloc(1, sizeof *f);

    if (!f)
        return NULL;
    f->request = r;
    f->stream = *s;
    f->job = (struct job){.run = fill, .user = f};
    struct MHD_Response *m =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, read_flow, f, release);
    if (!m)
        free(f);
    return m;
}
