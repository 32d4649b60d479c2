/* The door of Socket.IO: options that are refused, emissions to nobody, and stopping without
 * clients.
 */
#include "test.h"

#include "server/socketio.h"

#include <pthread.h>

static struct socketio *start(void)
{
    static const char *const namespaces[] = {"/", "/a", NULL};
    struct socketio_options o = socketio_options();
    struct socketio *io;
    struct err e;

    o.namespaces = namespaces;
    assert_int_equal(socketio_start(&o, &io, &e), 0);
    return io;
}

static void refuse(struct socketio_options o)
{
    struct socketio *io = NULL;
    struct err e;

    assert_int_equal(socketio_start(&o, &io, &e), ERR_ARG);
    assert_null(io);
}

static void options_are_checked(void **state)
{
    static const char *const none[] = {NULL}, *const comma[] = {"/a,b", NULL},
                             *const bare[] = {"a", NULL};
    const char *many[34];
    struct socketio_options o = socketio_options();

    (void)state;
    o.ping_interval = 0;
    refuse(o);
    o = socketio_options();
    o.ping_timeout = -1;
    refuse(o);
    o = socketio_options();
    o.max_sockets = 0;
    refuse(o);
    o = socketio_options();
    o.max_payload = 10;
    refuse(o);
    o = socketio_options();
    o.max_queue = 10;
    refuse(o);
    o = socketio_options();
    o.namespaces = none;
    refuse(o);
    o.namespaces = comma;
    refuse(o);
    o.namespaces = bare;
    refuse(o);
    for (int i = 0; i < 33; i++)
        many[i] = "/x";
    many[33] = NULL;
    o.namespaces = many;
    refuse(o);
}

static void *emit(void *io)
{
    char *text = calloc(1, (1 << 20) + 3);

    assert_non_null(text);
    memset(text, ' ', 1 << 20);
    text[0] = '[';
    text[(1 << 20) - 1] = ']';
    for (int i = 0; i < 100; i++)
        socketio_emit(io, "/a", i % 2 ? "room" : NULL, "event", text, NULL, EMIT_RELIABLE);
    free(text);
    return NULL;
}

static void emissions_to_nobody_are_taken(void **state)
{
    struct socketio *io = start();
    struct socketio_stats stats;
    pthread_t threads[4];

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, emit, io), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    socketio_disconnect(io, "/a", "room");
    socketio_disconnect(io, "/", NULL);
    socketio_stats(io, &stats);
    assert_int_equal(stats.sent + stats.dropped + stats.sessions + stats.sockets, 0);
    socketio_stop(io);
    emit(io);
    socketio_free(io);
}

static void what_cannot_be_sent_is_counted(void **state)
{
    struct socketio *io = start();
    struct socketio_stats stats;
    const struct str bytes = {"x", 1};

    (void)state;
    socketio_emit(io, "/unknown", NULL, "event", "[]", NULL, EMIT_RELIABLE);
    socketio_disconnect(io, "/unknown", NULL);
    socketio_emit(io, "/", NULL, "event", "{}", &bytes, EMIT_VOLATILE);
    socketio_emit(io, "/", NULL, "event", "[]", &(struct str){"x", (size_t)64 << 20},
                  EMIT_RELIABLE);
    socketio_stats(io, &stats);
    assert_int_equal(stats.dropped, 2);
    socketio_stop(io);
    socketio_free(io);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_checked),
        cmocka_unit_test(emissions_to_nobody_are_taken),
        cmocka_unit_test(what_cannot_be_sent_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
