#include "net/http.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <unistd.h>

#include "test.h"

/* A server whose answer depends on the path; each connection has a thread. */
static struct {
    int fd, port;
    pthread_t thread;
    atomic_int connections, asked;
    pthread_mutex_t lock;
    char request[1 << 16]; /* the last one */
} server = {.lock = PTHREAD_MUTEX_INITIALIZER};

enum { SEEN_MOST = 128 };
static pthread_t seen[SEEN_MOST];

/* One request with its body into `room`; false: the other side has gone. `most`: bytes to read. */
static bool take_request(int client, char *room, size_t size, size_t most)
{
    size_t n = 0, wanted = 0;

    while (!wanted || n < wanted) {
        size_t left = size - 1 - n;
        ssize_t got = left ? read(client, room + n, left) : 0;
        if (got <= 0)
            return false;
        n += (size_t)got;
        room[n] = 0;
        const char *end = strstr(room, "\r\n\r\n");
        const char *length = strcasestr(room, "content-length:");
        if (end)
            wanted = (size_t)(end + 4 - room) + (length ? strtoul(length + 15, NULL, 10) : 0);
        if (end && wanted > most)
            return false;
    }
    return true;
}

static void say(int client, const char *text)
{
    /* Whoever has gone meanwhile does not hear it. */
    (void)!send(client, text, strlen(text), MSG_NOSIGNAL);
}

static bool path_is(const char *request, const char *path)
{
    const char *at = strchr(request, ' ');
    return at && strncmp(at + 1, path, strlen(path)) == 0;
}

#define OK "HTTP/1.1 200 OK\r\n"

/* False: hang up. */
static bool answer(int client, const char *request)
{
    char rest;

    if (path_is(request, "/cut"))
        return false;
    if (path_is(request, "/hang")) {
        while (read(client, &rest, 1) > 0)
            ;
        return false;
    }
    if (path_is(request, "/interim"))
        say(client, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" OK
                    "X-One: a: b\r\nx-two:\r\nX-ONE: c\r\nContent-Length: 5\r\n\r\nhello");
    else if (path_is(request, "/move"))
        say(client, "HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n");
    else if (path_is(request, "/chunks"))
        say(client, OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n"
                       "X-Trailer: no header\r\n\r\n");
    else if (path_is(request, "/half"))
        say(client, OK "Content-Length: 100\r\n\r\nhalf");
    else if (path_is(request, "/nonsense"))
        say(client, "nonsense\r\n\r\n");
    else if (path_is(request, "/headers")) {
        say(client, OK);
        for (int i = 0; i < 3000; i++)
            say(client, "X-More: 0123456789012345678901234567890123456789\r\n");
        say(client, "\r\n");
    } else if (strncmp(request, "HEAD", 4) == 0) {
        say(client, OK "Content-Length: 77\r\n\r\n");
    } else {
        say(client, OK "Content-Length: 10\r\n\r\n0123456789");
    }
    return !path_is(request, "/half") && !path_is(request, "/headers");
}

static void *talk(void *user)
{
    int client = (int)(intptr_t)user;
    char *room = malloc(sizeof server.request);

    while (room && take_request(client, room, sizeof server.request, 60000)) {
        pthread_mutex_lock(&server.lock);
        memcpy(server.request, room, sizeof server.request);
        pthread_mutex_unlock(&server.lock);
        server.asked++;
        if (!answer(client, room))
            break;
    }
    free(room);
    close(client);
    return NULL;
}

static void *serve(void *unused)
{
    int client;

    (void)unused;
    while ((client = accept(server.fd, NULL, NULL)) >= 0) {
        int i = server.connections++;
        if (i < SEEN_MOST)
            pthread_create(&seen[i], NULL, talk, (void *)(intptr_t)client);
        else
            close(client);
    }
    return NULL;
}

static int begin(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;

    (void)state;
    server.asked = server.connections = 0;
    server.fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(server.fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(server.fd, 64), 0);
    assert_int_equal(getsockname(server.fd, (struct sockaddr *)&at, &n), 0);
    server.port = ntohs(at.sin_port);
    return pthread_create(&server.thread, NULL, serve, NULL);
}

static int end(void **state)
{
    (void)state;
    shutdown(server.fd, SHUT_RDWR);
    pthread_join(server.thread, NULL);
    close(server.fd);
    for (int i = 0; i < server.connections && i < SEEN_MOST; i++)
        pthread_join(seen[i], NULL);
    return 0;
}

/* ============================== Asking it ============================== */

static struct arena arena;
static struct net_answer got;
static struct err e;

static struct net *open_net(const char *allowed, struct egress **egress)
{
    struct net *n;

    assert_int_equal(egress_new(allowed, egress, &e), 0);
    assert_int_equal(net_open(&(struct net_options){.egress = *egress}, &n, &e), 0);
    assert_ptr_equal(net_egress(n), *egress);
    return n;
}

static const char *url_of(const char *path)
{
    return arena_printf(&arena, "http://127.0.0.1:%d%s", server.port, path);
}

/* One request of a net of its own. */
static int ask(struct net_request r)
{
    struct egress *egress;
    struct net *n = open_net(NULL, &egress);
    int rc = net_ask(n, &r, &arena, &got, &e);

    net_close(n);
    egress_free(egress);
    return rc;
}

static int ask_path(const char *path)
{
    return ask((struct net_request){.url = url_of(path)});
}

static int release(void **state)
{
    arena_release(&arena);
    return end(state);
}

/* ============================== Cases ============================== */

static void a_request_is_what_was_asked_for(void **state)
{
    const char *const headers[] = {"X-A: 1", "Authorization: Bearer b", "X-Empty;", NULL};

    (void)state;
    assert_int_equal(ask((struct net_request){.method = "POST",
                                              .url = url_of("/x?y=%20z"),
                                              .headers = headers,
                                              .body = STR("12\0"
                                                          "45")}),
                     ERR_ARG); /* "X-Empty;" has no name with a colon */
    assert_int_equal(server.connections, 0);
    const char *const good[] = {"X-A: 1", "Authorization: Bearer b", NULL};
    assert_int_equal(ask((struct net_request){.method = "POST",
                                              .url = url_of("/x?y=%20z"),
                                              .headers = good,
                                              .body = STR("12\0"
                                                          "45")}),
                     0);
    static const char *const lines[] = {"POST /x?y=%20z HTTP/1.1\r\n", "\r\nX-A: 1\r\n",
                                        "\r\nAuthorization: Bearer b\r\n",
                                        "\r\nContent-Length: 5\r\n", "\r\nHost: 127.0.0.1:"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (!strstr(server.request, lines[i]))
            fail_msg("no %s in %s", lines[i], server.request);
    assert_null(strcasestr(server.request, "expect"));
    assert_null(strcasestr(server.request, "content-type"));
    assert_memory_equal(strstr(server.request, "\r\n\r\n") + 4,
                        "12\0"
                        "45",
                        5);
    assert_int_equal(got.sent, 5);
}

static void methods(void **state)
{
    (void)state;
    assert_int_equal(ask((struct net_request){.method = "PUT", .url = url_of("/")}), 0);
    assert_non_null(strstr(server.request, "PUT / "));
    assert_non_null(strstr(server.request, "Content-Length: 0\r\n"));
    assert_int_equal(ask((struct net_request){.method = "DELETE", .url = url_of("/")}), 0);
    assert_non_null(strstr(server.request, "DELETE / "));
    assert_null(strcasestr(server.request, "content-length"));
    assert_int_equal(ask((struct net_request){.method = "HEAD", .url = url_of("/")}), 0);
    assert_non_null(strstr(server.request, "HEAD / "));
    assert_int_equal(got.body.n, 0);
    assert_string_equal(net_header(&got, "content-length", &arena), "77");
    assert_int_equal(ask((struct net_request){.method = "get x", .url = url_of("/")}), ERR_ARG);
    assert_int_equal(ask((struct net_request){.method = "", .url = url_of("/")}), ERR_ARG);
}

static void answers(void **state)
{
    (void)state;
    assert_int_equal(ask_path("/interim"), 0);
    assert_int_equal(got.status, 200);
    assert_string_equal(got.headers, "x-one: a: b\nx-two: \nx-one: c\ncontent-length: 5\n");
    assert_string_equal(got.body.p, "hello");
    assert_string_equal(net_header(&got, "x-one", &arena), "a: b");
    assert_string_equal(net_header(&got, "x-two", &arena), "");
    assert_null(net_header(&got, "link", &arena));
    assert_null(net_header(&got, "x-on", &arena));
    assert_int_equal(ask_path("/chunks"), 0);
    assert_string_equal(got.body.p, "abcde");
    assert_null(net_header(&got, "x-trailer", &arena));
    assert_int_equal(ask_path("/move"), 0);
    assert_int_equal(got.status, 302); /* not followed */
    assert_int_equal(server.asked, 3);
}

static void broken_answers(void **state)
{
    static const char *const paths[] = {"/cut", "/half", "/nonsense"};

    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        assert_int_equal(ask_path(paths[i]), ERR_NETWORK);
        assert_non_null(strstr(e.message, "http://127.0.0.1:"));
        assert_null(strstr(e.message, paths[i])); /* paths may be secrets */
        assert_int_equal(got.status, 0);
    }
    assert_int_equal(ask_path("/headers"), ERR_FORMAT);
}

static void what_was_sent(void **state)
{
    static char big[50000], huge[8 << 20];

    (void)state;
    assert_int_equal(ask((struct net_request){
                         .method = "PUT", .url = url_of("/cut"), .body = {big, sizeof big}}),
                     ERR_NETWORK);
    assert_int_equal(got.sent, sizeof big);
    /* The server leaves without reading more than the head of it. */
    assert_int_equal(
        ask((struct net_request){.method = "PUT", .url = url_of("/"), .body = {huge, sizeof huge}}),
        ERR_NETWORK);
    assert_true(got.sent > 0 && got.sent < (int64_t)sizeof huge);
}

static void sizes_of_answers(void **state)
{
    (void)state;
    assert_int_equal(ask((struct net_request){.url = url_of("/"), .max_answer = 10}), 0);
    assert_int_equal(ask((struct net_request){.url = url_of("/"), .max_answer = 9}), ERR_FORMAT);
    assert_non_null(strstr(e.message, "9 bytes"));
}

static void time_limits_and_stops(void **state)
{
    atomic_bool stop = true;

    (void)state;
    assert_int_equal(ask((struct net_request){.url = url_of("/hang"), .timeout = 0.2}),
                     ERR_NETWORK);
    assert_int_equal(ask((struct net_request){.url = url_of("/hang"), .stop = &stop}),
                     ERR_CANCELLED);
}

static void nothing_breaks_out_of_a_header(void **state)
{
    static const char *const bad[] = {"X-A: 1\r\nX-B: 2", "X-A: 1\n",  "X\r: 1",
                                      "X-A: \x7f",        "X-A: \x01", "no name"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *const headers[] = {bad[i], NULL};
        assert_int_equal(ask((struct net_request){.url = url_of("/"), .headers = headers}),
                         ERR_ARG);
    }
    assert_int_equal(ask((struct net_request){.url = url_of("/a b")}), ERR_ARG);
    assert_int_equal(ask((struct net_request){.url = url_of("/a\r\nX: y")}), ERR_ARG);
    assert_int_equal(server.connections, 0);
}

static void urls(void **state)
{
    static const char *const bad[] = {
        "",
        "x",
        "ftp://h/",
        "file:///etc/passwd",
        "http://",
        "http:/",
        "//h/",
        "http://h:0/",
        "http://h:99999/",
        "http://u@h/",
        "http://",
        "gopher://h",
        "http://u:p@h/",
        "http://h:x/",
        "http://\xc3\xbc/",
        "http://[::1/",
    };
    struct net_url u;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (net_url_read(bad[i], &arena, &u, &e) != ERR_ARG)
            fail_msg("'%s' was read", bad[i]);
    assert_int_equal(net_url_read("http://h/x?secret=1 2", &arena, &u, &e), ERR_ARG);
    assert_null(strstr(e.message, "secret"));
    assert_int_equal(net_url_read("HTTPS://Example.org?a=b#c", &arena, &u, &e), 0);
    assert_string_equal(u.scheme, "https");
    assert_string_equal(u.host, "Example.org");
    assert_int_equal(u.port, 443);
    assert_string_equal(u.path, "/?a=b");
    assert_int_equal(net_url_read("http://[::1]:8080/a/../b%2F?", &arena, &u, &e), 0);
    assert_string_equal(u.host, "[::1]");
    assert_int_equal(u.port, 8080);
    assert_int_equal(ask((struct net_request){.url = "ftp://127.0.0.1/"}), ERR_ARG);
}

static void hosts_that_are_not_allowed(void **state)
{
    struct egress *egress;
    struct net *n = open_net("example.org, 127.0.0.1:1", &egress);
    struct net_request r = {.url = url_of("/")};

    (void)state;
    assert_int_equal(net_ask(n, &r, &arena, &got, &e), ERR_DENIED);
    assert_non_null(strstr(e.message, "127.0.0.1"));
    assert_non_null(strstr(e.message, "CAULDRON_ALLOW_HOSTS"));
    net_close(n);
    egress_free(egress);
    n = open_net(arena_printf(&arena, "127.0.0.1:%d", server.port), &egress);
    assert_int_equal(net_ask(n, &r, &arena, &got, &e), 0);
    net_close(n);
    egress_free(egress);
    assert_int_equal(server.asked, 1);
}

static void private_addresses(void **state)
{
    struct egress *egress;
    struct net *n = open_net(NULL, &egress);
    /* A name that only shows where it leads when it is resolved (RFC 6761: *.localhost). */
    struct net_request r = {
        .url = arena_printf(&arena, "http://rebound.localhost:%d/", server.port),
        .refuse_private = true};

    (void)state;
    assert_int_equal(net_ask(n, &r, &arena, &got, &e), ERR_DENIED);
    assert_non_null(strstr(e.message, "private network"));
    assert_int_equal(server.connections, 0);
    /* Nor over a connection that somebody else may have. */
    r.refuse_private = false;
    assert_int_equal(net_ask(n, &r, &arena, &got, &e), 0);
    r.refuse_private = true;
    assert_int_equal(net_ask(n, &r, &arena, &got, &e), ERR_DENIED);
    assert_int_equal(server.asked, 1);
    static const char *const closed[] = {
        "http://127.0.0.1/",  "http://localhost/",       "http://LOCALHOST./",
        "http://[::1]/",      "http://10.0.0.1/",        "http://0x7f.1/",
        "http://2130706433/", "http://169.254.169.254/", "http://[::ffff:10.0.0.1]/"};
    for (size_t i = 0; i < sizeof closed / sizeof *closed; i++) {
        r.url = closed[i];
        if (net_ask(n, &r, &arena, &got, &e) != ERR_DENIED)
            fail_msg("'%s' was asked", closed[i]);
    }
    net_close(n);
    egress_free(egress);
}

static void connections_are_kept(void **state)
{
    struct egress *egress;
    struct net *n = open_net(NULL, &egress);
    struct net_request r = {.url = url_of("/")};

    (void)state;
    for (int i = 0; i < 10; i++)
        assert_int_equal(net_ask(n, &r, &arena, &got, &e), 0);
    assert_int_equal(server.connections, 1);
    assert_int_equal(server.asked, 10);
    net_close(n);
    egress_free(egress);
}

static void ask_host(struct net *n, int number)
{
    struct net_request r = {
        .url = arena_printf(&arena, "http://h%d.localhost:%d/", number, server.port)};
    assert_int_equal(net_ask(n, &r, &arena, &got, &e), 0);
}

static void connections_that_were_not_used_for_long_are_closed(void **state)
{
    struct egress *egress;
    struct net *n = open_net(NULL, &egress);

    (void)state;
    for (int i = 0; i < 70; i++)
        ask_host(n, i);
    assert_int_equal(server.connections, 70);
    ask_host(n, 69);
    ask_host(n, 10);
    assert_int_equal(server.connections, 70);
    ask_host(n, 0);
    assert_int_equal(server.connections, 71);
    net_close(n);
    egress_free(egress);
}

static void proxies_of_the_environment_are_not_asked(void **state)
{
    (void)state;
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    assert_int_equal(ask_path("/"), 0);
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
}

static void *ask_often(void *user)
{
    struct arena a = {0};
    struct net_request r = {.url = arena_printf(&a, "http://127.0.0.1:%d/", server.port)};
    struct net_answer answer;
    struct err here;

    for (int i = 0; i < 20; i++)
        if (net_ask(user, &r, &a, &answer, &here) || answer.status != 200) {
            arena_release(&a);
            return user;
        }
    arena_release(&a);
    return NULL;
}

static void threads(void **state)
{
    struct egress *egress;
    struct net *n = open_net(NULL, &egress);
    pthread_t many[6];
    void *failed;

    (void)state;
    for (int i = 0; i < 6; i++)
        assert_int_equal(pthread_create(&many[i], NULL, ask_often, n), 0);
    for (int i = 0; i < 6; i++) {
        pthread_join(many[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(server.asked, 120);
    assert_true(server.connections <= 6);
    net_close(n);
    egress_free(egress);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, release)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_request_is_what_was_asked_for),
        CASE(methods),
        CASE(answers),
        CASE(broken_answers),
        CASE(what_was_sent),
        CASE(sizes_of_answers),
        CASE(time_limits_and_stops),
        CASE(nothing_breaks_out_of_a_header),
        CASE(urls),
        CASE(hosts_that_are_not_allowed),
        CASE(private_addresses),
        CASE(connections_are_kept),
        CASE(connections_that_were_not_used_for_long_are_closed),
        CASE(proxies_of_the_environment_are_not_asked),
        CASE(threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
