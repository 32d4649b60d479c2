#include "objects/gcs_login.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

/* The clock that tokens are kept by goes forward when a test says so. */
static atomic_llong later; /* seconds */

int clock_gettime(clockid_t clock, struct timespec *out)
{
    int rc = (int)syscall(SYS_clock_gettime, clock, out);

    if (clock == CLOCK_MONOTONIC)
        out->tv_sec += later;
    return rc;
}

/* A metadata server: token-1, token-2, ... */
static struct {
    int fd, port;
    pthread_t thread;
    atomic_int asked, life;
    atomic_bool away;
} server;

static void *serve(void *unused)
{
    char request[4096], text[300];
    int client;

    (void)unused;
    while ((client = accept(server.fd, NULL, NULL)) >= 0) {
        if (read(client, request, sizeof request) > 0) {
            char body[100];
            int n = snprintf(body, sizeof body, "{\"access_token\":\"token-%d\",\"expires_in\":%d}",
                             ++server.asked, server.life);
            int m = snprintf(text, sizeof text,
                             "HTTP/1.1 %s\r\nMetadata-Flavor: Google\r\nConnection: close\r\n"
                             "Content-Length: %d\r\n\r\n%s",
                             server.away ? "503 Away" : "200 OK", n, body);
            (void)!send(client, text, (size_t)m, MSG_NOSIGNAL);
        }
        close(client);
    }
    return NULL;
}

static struct net *net;
static struct gcs_login *login;
static struct arena arena;
static struct err e;

static int begin(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;

    (void)state;
    later = server.asked = 0;
    server.life = 3600;
    server.away = false;
    server.fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(server.fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(server.fd, 64), 0);
    assert_int_equal(getsockname(server.fd, (struct sockaddr *)&at, &n), 0);
    server.port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&server.thread, NULL, serve, NULL), 0);
    struct objects_settings s = {
        .google_metadata = arena_printf(&arena, "127.0.0.1:%d", server.port)};
    assert_int_equal(net_open(&(struct net_options){0}, &net, &e), 0);
    return gcs_login_open(net, &s, &login, &e);
}

static int end(void **state)
{
    (void)state;
    gcs_login_close(login);
    gcs_login_close(NULL);
    net_close(net);
    shutdown(server.fd, SHUT_RDWR);
    pthread_join(server.thread, NULL);
    close(server.fd);
    arena_release(&arena);
    return 0;
}

static void gives(const char *refused, const char *token, int asked)
{
    const char *got;

    assert_int_equal(gcs_login_token(login, refused, &arena, &got, &e), 0);
    assert_string_equal(got, token);
    assert_int_equal(server.asked, asked);
}

static void kept_until_five_minutes_before_its_end(void **state)
{
    (void)state;
    gives(NULL, "token-1", 1);
    gives(NULL, "token-1", 1);
    later += 3290;
    gives(NULL, "token-1", 1);
    later += 20;
    gives(NULL, "token-2", 2);
    gives(NULL, "token-2", 2);
}

static void one_that_lives_shortly(void **state)
{
    (void)state;
    server.life = 200; /* the machine's own copy is old already */
    gives(NULL, "token-1", 1);
    later += 90;
    gives(NULL, "token-1", 1);
    later += 20;
    gives(NULL, "token-2", 2);
}

static void the_old_one_while_it_lasts(void **state)
{
    const char *got;

    (void)state;
    gives(NULL, "token-1", 1);
    server.away = true;
    later += 3400;
    gives(NULL, "token-1", 2);
    gives(NULL, "token-1", 2); /* not asked again at once */
    later += 40;
    gives(NULL, "token-1", 3);
    later += 200; /* it has ended */
    assert_int_equal(gcs_login_token(login, NULL, &arena, &got, &e), ERR_NETWORK);
    server.away = false;
    gives(NULL, "token-5", 5);
}

static void one_that_was_refused(void **state)
{
    const char *got;

    (void)state;
    gives(NULL, "token-1", 1);
    gives("token-1", "token-2", 2);
    gives("token-1", "token-2", 2); /* somebody else has brought it already */
    server.away = true;
    assert_int_equal(gcs_login_token(login, "token-2", &arena, &got, &e), ERR_NETWORK);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(kept_until_five_minutes_before_its_end),
        CASE(one_that_lives_shortly),
        CASE(the_old_one_while_it_lasts),
        CASE(one_that_was_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
