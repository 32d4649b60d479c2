#include "ops/push.h"

#include "net/egress.h"
#include "ops/vapid.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "test.h"

/* A push service that gives one answer to everybody; NULL: none at all. */
static struct {
    int fd, port;
    pthread_t thread;
    const char *answer;
    atomic_int asked;
    char request[8192];
} service;

static void take_request(int client)
{
    size_t n = 0, wanted = 0;

    while (!wanted || n < wanted) {
        ssize_t got = read(client, service.request + n, sizeof service.request - 1 - n);
        if (got <= 0)
            return;
        n += (size_t)got;
        if (wanted)
            continue;
        service.request[n] = 0;
        const char *end = strstr(service.request, "\r\n\r\n");
        const char *length = strcasestr(service.request, "content-length:");
        if (end && length)
            wanted = (size_t)(end + 4 - service.request) + strtoul(length + 15, NULL, 10);
    }
}

static void *serve(void *unused)
{
    int client;

    (void)unused;
    while ((client = accept(service.fd, NULL, NULL)) >= 0) {
        char rest;
        take_request(client);
        service.asked++;
        if (service.answer && write(client, service.answer, strlen(service.answer)) < 0)
            perror("write");
        if (!service.answer) /* until the other side goes */
            while (read(client, &rest, 1) > 0)
                ;
        close(client);
    }
    return NULL;
}

static void begin(const char *answer)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;

    service.answer = answer;
    service.asked = 0;
    service.fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(service.fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(service.fd, 64), 0);
    assert_int_equal(getsockname(service.fd, (struct sockaddr *)&at, &n), 0);
    service.port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&service.thread, NULL, serve, NULL), 0);
}

static void end(void)
{
    shutdown(service.fd, SHUT_RDWR);
    pthread_join(service.thread, NULL);
    close(service.fd);
}

static struct push *open_push(bool allow_private)
{
    char key[VAPID_PRIVATE];
    struct push *p;
    struct err e;

    assert_int_equal(vapid_make(key, &e), 0);
    assert_int_equal(
        push_open(&(struct push_options){.key = key, .allow_private = allow_private}, &p, &e), 0);
    return p;
}

struct outcome {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int calls;
    struct push_result last;
    char detail[512];
};

static void done(void *user, const struct push_result *r)
{
    struct outcome *o = user;

    pthread_mutex_lock(&o->lock);
    o->calls++;
    o->last = *r;
    snprintf(o->detail, sizeof o->detail, "%s", r->detail ? r->detail : "");
    pthread_cond_signal(&o->changed);
    pthread_mutex_unlock(&o->lock);
}

static struct outcome outcome(void)
{
    return (struct outcome){PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER};
}

static void wait_calls(struct outcome *o, int calls)
{
    pthread_mutex_lock(&o->lock);
    while (o->calls < calls)
        pthread_cond_wait(&o->changed, &o->lock);
    pthread_mutex_unlock(&o->lock);
}

static int send_to(struct push *p, const char *endpoint, struct outcome *o, struct err *e)
{
    struct push_message m = {
        .endpoint = endpoint, .text = STR("{\"title\":\"x\"}"), .ttl = 86400, .topic = "abc"};

    assert_int_equal(push_receiver_read("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-"
                                        "AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
                                        "BTBZMqHH6r4Tts7J_aSIgg", &m.receiver, e),
                     0);
    return push_send(p, &m, done, o, e);
}

static struct outcome ask(const char *answer, const char *path)
{
    struct outcome o = outcome();
    char url[80];
    struct err e;

    begin(answer);
    struct push *p = open_push(true);
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", service.port, path);
    assert_int_equal(send_to(p, url, &o, &e), 0);
    wait_calls(&o, 1);
    push_close(p);
    end();
    assert_int_equal(o.calls, 1);
    return o;
}

static void a_request_as_the_standards_want_it(void **state)
{
    struct outcome o = ask("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", "/send/1?x=2");
    static const char *const lines[] = {
        "POST /send/1?x=2 HTTP/1.1\r\n",
        "\r\nTTL: 86400\r\n",
        "\r\nUrgency: normal\r\n",
        "\r\nTopic: abc\r\n",
        "\r\nContent-Encoding: aes128gcm\r\n",
        "\r\nAuthorization: vapid t=",
        "\r\nContent-Length: 116\r\n", /* header 86, text 13, delimiter 1, tag 16 */
    };

    (void)state;
    assert_int_equal(o.last.fate, PUSH_TAKEN);
    assert_int_equal(o.last.status, 201);
    assert_null(o.last.detail);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (!strstr(service.request, lines[i]))
            fail_msg("no %s in %s", lines[i], service.request);
    assert_null(strstr(service.request, "title"));
}

static void fates(void **state)
{
    static const struct {
        const char *answer;
        enum push_fate fate;
        int status, retry_after;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", PUSH_TAKEN, 200, 0},
        {"HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n", PUSH_GONE, 404, 0},
        {"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n", PUSH_GONE, 410, 0},
        {"HTTP/1.1 429 X\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", PUSH_LATER, 429, 7},
        {"HTTP/1.1 503 X\r\nRetry-After: 99999999\r\nContent-Length: 0\r\n\r\n", PUSH_LATER, 503,
         86400},
        {"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n", PUSH_LATER, 500, 0},
        {"HTTP/1.1 403 X\r\nContent-Length: 0\r\n\r\n", PUSH_REFUSED, 403, 0},
        {"HTTP/1.1 413 X\r\nContent-Length: 0\r\n\r\n", PUSH_REFUSED, 413, 0},
        {"HTTP/1.1 307 X\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n", PUSH_REFUSED, 307, 0},
        {"nonsense\r\n\r\n", PUSH_LATER, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct outcome o = ask(cases[i].answer, "/");
        assert_int_equal(o.last.fate, cases[i].fate);
        assert_int_equal(o.last.status, cases[i].status);
        assert_int_equal(o.last.retry_after, cases[i].retry_after);
        assert_int_equal(service.asked, 1); /* no redirect was followed */
        assert_true(cases[i].fate == PUSH_TAKEN || o.detail[0]);
    }
}

/* An answer without end is cut off, not read for ever nor kept. */
static void an_endless_answer(void **state)
{
    static char text[300000];
    int n =
        snprintf(text, sizeof text, "HTTP/1.1 201 Created\r\nContent-Length: 999999999\r\n\r\n");

    (void)state;
    memset(text + n, 'x', sizeof text - (size_t)n - 1);
    struct outcome o = ask(text, "/");
    assert_int_equal(o.last.status, 201);
    assert_int_equal(o.last.fate, PUSH_TAKEN);
}

static void private_addresses_are_not_connected_to(void **state)
{
    struct outcome o = outcome();
    struct err e;

    (void)state;
    begin("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
    struct push *p = open_push(false);
    char url[80];
    snprintf(url, sizeof url, "https://127.0.0.1:%d/", service.port);
    assert_int_equal(send_to(p, url, &o, &e), ERR_ARG);
    assert_int_equal(push_check_endpoint(p, url, &e), ERR_ARG);
    /* A name that only shows where it leads when it is resolved (RFC 6761: *.localhost). */
    snprintf(url, sizeof url, "https://rebound.localhost:%d/", service.port);
    assert_int_equal(send_to(p, url, &o, &e), 0);
    wait_calls(&o, 1);
    assert_int_equal(o.last.status, 0);
    assert_non_null(strstr(o.detail, "private network"));
    push_close(p);
    end();
    assert_int_equal(service.asked, 0);
}

static void nobody_listens(void **state)
{
    struct outcome o = outcome();
    struct err e;
    char url[80];

    (void)state;
    begin("");
    end(); /* its port is free */
    struct push *p = open_push(true);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", service.port);
    assert_int_equal(send_to(p, url, &o, &e), 0);
    wait_calls(&o, 1);
    assert_int_equal(o.last.fate, PUSH_LATER);
    assert_int_equal(o.last.status, 0);
    push_close(p);
}

/* What hangs is broken off, what waits behind it is told, and the queue has an end. */
static void closing_ends_everything(void **state)
{
    struct outcome o = outcome();
    int sent = 0, rc = 0;
    struct err e;
    char url[80];

    (void)state;
    begin(NULL);
    struct push *p = open_push(true);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", service.port);
    while (sent < 1000 && (rc = send_to(p, url, &o, &e)) == 0)
        sent++;
    assert_int_equal(rc, ERR_NETWORK);
    assert_true(sent >= 256);
    push_close(p); /* long before the time limits of 256 requests */
    assert_int_equal(o.calls, sent);
    assert_true(o.last.stopped);
    end();
}

static void hosts_that_are_not_listed(void **state)
{
    char key[VAPID_PRIVATE];
    struct outcome o = outcome();
    struct egress *egress;
    struct push *p;
    struct err e;

    (void)state;
    assert_int_equal(egress_new("*.push.example.org", &egress, &e), 0);
    assert_int_equal(vapid_make(key, &e), 0);
    assert_int_equal(push_open(&(struct push_options){.key = key, .egress = egress}, &p, &e), 0);
    assert_int_equal(push_check_endpoint(p, "https://a.push.example.org/x", &e), 0);
    assert_int_equal(push_check_endpoint(p, "https://push.example.com/x", &e), ERR_DENIED);
    assert_non_null(strstr(e.message, "push.example.com"));
    assert_non_null(strstr(e.message, "CAULDRON_ALLOW_HOSTS"));
    assert_int_equal(send_to(p, "https://push.example.com/x", &o, &e), ERR_DENIED);
    push_close(p);
    assert_int_equal(o.calls, 0);
    egress_free(egress);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_as_the_standards_want_it),
        cmocka_unit_test(fates),
        cmocka_unit_test(an_endless_answer),
        cmocka_unit_test(private_addresses_are_not_connected_to),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(closing_ends_everything),
        cmocka_unit_test(hosts_that_are_not_listed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
