/*
 * server.c: the Socket.IO server that the conformance tests talk to, as the protocol's own suites
 * want it: pings every 300 ms, 200 ms to answer them, payloads of 1e6 bytes, 1000 ms to connect,
 * namespaces "/" and "/custom".
 *
 *   server [port N] [max_queue BYTES] [max_sockets N] [workers N] [queue N] [calm|patient]
 *
 * Prints "port N". A line "stop" on standard input stops Socket.IO, and prints "stopped"; the end
 * of input ends the program, which prints how many on_connect and on_disconnect it has seen. "calm"
 * leaves the intervals as they are in production; "patient" pings as often, but waits 10 s for
 * answers, for clients that the rest of the machine holds up.
 *
 * A token of "wrong" is refused, "slow" waits for 300 ms in the room "slow", "key" is "bearer".
 *
 * Events: message -> message-back with the same arguments; message-with-ack acknowledges with them;
 * join, leave [room]; say [room, ...] -> said to the room; shout [...] -> said to all; sleep [ms];
 * flood [count, bytes, volatile] -> flood, many times; bye; kick [room]; who; stats.
 */
#include "base/json.h"
#include "base/str.h"
#include "server/http.h"
#include "server/socketio.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct socketio *io;
static atomic_int connects, disconnects;

static const char *text_at(const json_t *list, size_t i)
{
    const char *text = json_string_value(json_array_get(list, i));

    return text ? text : "";
}

/* Everything from argument i on, as the text of an array. */
static char *rest_of(const json_t *arguments, size_t i)
{
    json_t *rest = json_array();

    for (; i < json_array_size(arguments); i++)
        json_array_append(rest, json_array_get(arguments, i));
    char *text = json_dumps(rest, JSON_COMPACT);
    json_decref(rest);
    return text;
}

static int connected(void *user, struct socket *s, const json_t *auth, struct identity *identity,
                     struct err *e)
{
    const char *token = auth ? json_text(auth, "token", "") : "";
    json_t *arguments = json_array();

    (void)user;
    if (strcmp(token, "wrong") == 0) {
        json_decref(arguments);
        return ERR(e, ERR_DENIED, "Not authorized");
    }
    if (strcmp(token, "slow") == 0 && socket_join(s, "slow", e) == 0)
        usleep(300000);
    if (strcmp(token, "key") == 0)
        snprintf(identity->user_name, sizeof(identity->user_name), "bearer");
    atomic_fetch_add(&connects, 1);
    json_array_append_new(arguments, auth ? json_deep_copy(auth) : json_object());
    char *text = json_dumps(arguments, JSON_COMPACT);
    socket_emit(s, "auth", text, NULL, EMIT_RELIABLE);
    free(text);
    json_decref(arguments);
    return 0;
}

static json_t *echo(struct socket *s, const json_t *arguments, const struct str *attachments,
                    size_t count)
{
    char *text = rest_of(arguments, 0);

    socket_emit_all(s, "message-back", text, attachments, count, EMIT_RELIABLE);
    free(text);
    return NULL;
}

static json_t *acknowledge(struct socket *s, const json_t *arguments, const struct str *attachments,
                           size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (socket_attach(s, attachments[i]) != (int)i)
            return NULL;
    return json_deep_copy(arguments);
}

static json_t *join(struct socket *s, const json_t *arguments, const struct str *attachments,
                    size_t count)
{
    struct err e;

    (void)attachments;
    (void)count;
    if (socket_join(s, text_at(arguments, 0), &e))
        return json_pack("[s]", e.message);
    return json_pack("[s]", "joined");
}

static json_t *leave(struct socket *s, const json_t *arguments, const struct str *attachments,
                     size_t count)
{
    (void)attachments;
    (void)count;
    socket_leave(s, text_at(arguments, 0));
    return json_array();
}

static json_t *say(struct socket *s, const json_t *arguments, const struct str *attachments,
                   size_t count)
{
    char *text = rest_of(arguments, 1);

    socketio_emit(io, socket_namespace(s), text_at(arguments, 0), "said", text,
                  count ? attachments : NULL, EMIT_RELIABLE);
    free(text);
    return json_array();
}

static json_t *shout(struct socket *s, const json_t *arguments, const struct str *attachments,
                     size_t count)
{
    char *text = rest_of(arguments, 0);

    (void)attachments;
    (void)count;
    socketio_emit(io, socket_namespace(s), NULL, "said", text, NULL, EMIT_RELIABLE);
    free(text);
    return json_array();
}

static json_t *nap(struct socket *s, const json_t *arguments, const struct str *attachments,
                   size_t count)
{
    (void)s;
    (void)attachments;
    (void)count;
    usleep((useconds_t)(json_integer_value(json_array_get(arguments, 0)) * 1000));
    return json_array();
}

static json_t *flood(struct socket *s, const json_t *arguments, const struct str *attachments,
                     size_t count)
{
    json_int_t times = json_integer_value(json_array_get(arguments, 0));
    size_t bytes = (size_t)json_integer_value(json_array_get(arguments, 1));
    enum emit_kind kind = json_is_true(json_array_get(arguments, 2)) ? EMIT_VOLATILE
                                                                     : EMIT_RELIABLE;
    char *filling = calloc(1, bytes + 32);

    (void)attachments;
    (void)count;
    for (json_int_t i = 0; i < times; i++) {
        int n = snprintf(filling, 32, "[%" JSON_INTEGER_FORMAT ",\"", i);
        memset(filling + n, 'x', bytes);
        memcpy(filling + n + bytes, "\"]", 3);
        socket_emit(s, "flood", filling, NULL, kind);
    }
    free(filling);
    return json_array();
}

static json_t *bye(struct socket *s, const json_t *arguments, const struct str *attachments,
                   size_t count)
{
    (void)arguments;
    (void)attachments;
    (void)count;
    socket_disconnect(s);
    return json_array();
}

static json_t *kick(struct socket *s, const json_t *arguments, const struct str *attachments,
                    size_t count)
{
    (void)attachments;
    (void)count;
    socketio_disconnect(io, socket_namespace(s), text_at(arguments, 0));
    return json_array();
}

static json_t *who(struct socket *s, const json_t *arguments, const struct str *attachments,
                   size_t count)
{
    (void)arguments;
    (void)attachments;
    (void)count;
    return json_pack("[s, s]", socket_identity(s)->user_name, socket_id(s));
}

static json_t *stats(struct socket *s, const json_t *arguments, const struct str *attachments,
                     size_t count)
{
    struct socketio_stats now;

    (void)s;
    (void)arguments;
    (void)attachments;
    (void)count;
    socketio_stats(io, &now);
    return json_pack("[{s:i, s:i, s:i, s:I, s:I, s:I, s:i, s:i}]", "sockets", now.sockets,
                     "sessions", now.sessions, "polling", now.polling, "sent", (json_int_t)now.sent,
                     "received", (json_int_t)now.received, "dropped", (json_int_t)now.dropped,
                     "connects", atomic_load(&connects), "disconnects", atomic_load(&disconnects));
}

static const struct {
    const char *name;
    json_t *(*run)(struct socket *s, const json_t *arguments, const struct str *attachments,
                   size_t count);
} events[] = {
    {"message", echo}, {"message-with-ack", acknowledge},
    {"join", join},    {"leave", leave},
    {"say", say},      {"shout", shout},
    {"sleep", nap},    {"flood", flood},
    {"bye", bye},      {"kick", kick},
    {"who", who},      {"stats", stats},
};

static json_t *event(void *user, struct socket *s, const char *name, const json_t *arguments,
                     const struct str *attachments, size_t count)
{
    (void)user;
    for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++)
        if (strcmp(events[i].name, name) == 0)
            return events[i].run(s, arguments, attachments, count);
    return NULL;
}

static void disconnected(void *user, struct socket *s)
{
    (void)user;
    (void)s;
    atomic_fetch_add(&disconnects, 1);
}

/* Who asks is what the cookie "session" says. */
static int identify(struct request *r, struct identity *out, struct err *e)
{
    const char *name = request_cookie(r, "session");

    (void)e;
    snprintf(out->user_name, sizeof(out->user_name), "%s", name ? name : "nobody");
    return 0;
}

static bool option(int argc, char **argv, const char *name, int64_t *value)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return !value || (i + 1 < argc && str_to_i64(str_from(argv[i + 1]), value));
    return false;
}

int main(int argc, char **argv)
{
    static const char *const namespaces[] = {"/", "/custom", NULL};
    struct socketio_options so = socketio_options();
    struct http_options ho = http_options();
    struct http_server *server = NULL;
    struct err e;
    char line[64];
    int64_t n;

    so.namespaces = namespaces;
    so.session_cookie = "session";
    so.allowed_origins = "http://friend.example";
    so.on_connect = connected;
    so.on_event = event;
    so.on_disconnect = disconnected;
    if (!option(argc, argv, "calm", NULL)) {
        so.ping_interval = 0.3;
        so.ping_timeout = 0.2;
        so.connect_timeout = 1;
    }
    if (option(argc, argv, "patient", NULL))
        so.ping_timeout = so.connect_timeout = 10;
    if (option(argc, argv, "port", &n))
        ho.port = (int)n;
    if (option(argc, argv, "max_queue", &n))
        so.max_queue = (size_t)n;
    if (option(argc, argv, "max_sockets", &n))
        so.max_sockets = (int)n;
    if (option(argc, argv, "workers", &n))
        ho.workers = (int)n;
    if (option(argc, argv, "queue", &n))
        ho.queue = (int)n;
    ho.identify = identify;
    ho.max_connections = ho.max_connections_per_address = 5000;
    ho.requests_per_second_per_address = 0;
    if (socketio_start(&so, &io, &e)) {
        fprintf(stderr, "%s\n", e.message);
        return 1;
    }
    ho.sockets = io;
    if (http_start(&ho, &server, &e)) {
        fprintf(stderr, "%s\n", e.message);
        return 1;
    }
    printf("port %d\n", http_port(server));
    fflush(stdout);
    bool stopped = false;
    while (fgets(line, sizeof(line), stdin))
        if (strcmp(line, "stop\n") == 0 && !stopped) {
            socketio_stop(io);
            stopped = true;
            puts("stopped");
            fflush(stdout);
        }
    if (!stopped)
        socketio_stop(io);
    http_stop(server, 5);
    socketio_free(io);
    printf("connects %d disconnects %d\n", atomic_load(&connects), atomic_load(&disconnects));
    return atomic_load(&connects) != atomic_load(&disconnects);
}
