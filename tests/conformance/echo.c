/*
 * echo.c: an Engine.IO server without Socket.IO that sends every message back, as the suite of the
 * Engine.IO protocol wants it: pings every 300 ms, 200 ms to answer them, payloads of 1e6 bytes.
 *
 *   echo
 *
 * Prints "port N", ends with its standard input. What http.c asks of Socket.IO is answered here, so
 * that the layer below is all that is linked.
 */
#include "base/str.h"
#include "server/engineio.h"
#include "server/http.h"
#include "server/raw.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct socketio {
    struct engine *engine;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool drained;
};

void socketio_http(struct socketio *io, struct http_server *server, struct raw *raw)
{
    (void)server;
    engine_http(io->engine, raw);
}

size_t socketio_max_body(const struct socketio *io)
{
    (void)io;
    return 1000000;
}

void socketio_http_gone(struct socketio *io, struct raw *raw)
{
    engine_gone(io->engine, raw);
}

static void opened(void *user, struct session *s)
{
    (void)user;
    (void)s;
}

static void message(void *user, struct session *s, bool binary, struct str bytes)
{
    char *text = malloc(bytes.n + 1);
    struct part part = {binary, {text, bytes.n + !binary}};

    (void)user;
    if (!text)
        abort();
    text[0] = '4';
    for (size_t i = 0; i < bytes.n; i++)
        text[i + !binary] = bytes.p[i];
    struct message *m = message_new(&part, 1);
    if (!m)
        abort();
    session_send(s, m, false);
    message_free(m);
    free(text);
}

static void closed(void *user, struct session *s, const char *reason)
{
    (void)user;
    (void)s;
    (void)reason;
}

static void drained(void *user)
{
    struct socketio *io = user;

    pthread_mutex_lock(&io->lock);
    io->drained = true;
    pthread_cond_signal(&io->changed);
    pthread_mutex_unlock(&io->lock);
}

int main(void)
{
    static const struct engine_events events = {opened, message, closed};
    struct socketio io = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    struct engine_options eo = {.ping_interval = 0.3,
                                .ping_timeout = 0.2,
                                .max_payload = 1000000,
                                .max_queue = 4 << 20,
                                .max_sessions = 1000,
                                .events = &events,
                                .user = &io};
    struct http_options ho = http_options();
    struct http_server *server;
    struct loop *loop;
    struct err e;

    ho.sockets = &io;
    ho.requests_per_second_per_address = 0;
    if (loop_start(&loop, &e))
        goto failed;
    eo.loop = loop;
    if (engine_new(&eo, &io.engine, &e) || http_start(&ho, &server, &e))
        goto failed;
    printf("port %d\n", http_port(server));
    fflush(stdout);
    while (getchar() != EOF)
        ;
    engine_stop(io.engine, 2, drained, &io);
    pthread_mutex_lock(&io.lock);
    while (!io.drained)
        pthread_cond_wait(&io.changed, &io.lock);
    pthread_mutex_unlock(&io.lock);
    http_stop(server, 5);
    loop_stop(loop);
    engine_free(io.engine);
    return 0;
failed:
    fprintf(stderr, "%s\n", e.message);
    return 1;
}
