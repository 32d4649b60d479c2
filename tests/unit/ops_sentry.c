#include "ops/sentry.h"

#include "base/json.h"
#include "net/egress.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

/* A server that takes one request, keeps it, and answers. */
static struct {
    int fd, port, status;
    char request[65536];
} server;

static void *answer(void *unused)
{
    size_t n = 0, wanted = 0;
    int client = accept(server.fd, NULL, NULL);
    (void)unused;

    while (!wanted || n < wanted) {
        ssize_t got = read(client, server.request + n, sizeof server.request - 1 - n);
        if (got <= 0)
            break;
        n += (size_t)got;
        server.request[n] = 0;
        const char *end = strstr(server.request, "\r\n\r\n");
        const char *length = strcasestr(server.request, "content-length:");
        if (end && length)
            wanted = (size_t)(end + 4 - server.request) + strtoul(length + 15, NULL, 10);
    }
    dprintf(client, "HTTP/1.1 %d X\r\nContent-Length: 2\r\n\r\n{}", server.status);
    close(client);
    return NULL;
}

static pthread_t serve(int status)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    pthread_t thread;

    memset(&server, 0, sizeof server);
    server.status = status;
    server.fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(server.fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(server.fd, 1), 0);
    assert_int_equal(getsockname(server.fd, (struct sockaddr *)&at, &n), 0);
    server.port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&thread, NULL, answer, NULL), 0);
    return thread;
}

static struct sentry *open_sentry(const char *crashes)
{
    char dsn[80];
    struct sentry *s;
    struct err e;

    snprintf(dsn, sizeof dsn, "http://public:secret@127.0.0.1:%d/sub/42", server.port);
    assert_int_equal(sentry_open(&(struct sentry_options){.dsn = dsn,
                                                          .release = "cauldron@1",
                                                          .environment = "test",
                                                          .crash_folder = crashes},
                                 &s, &e),
                     0);
    return s;
}

static json_t *sent_event(void)
{
    struct str rest = str_from(strstr(server.request, "\r\n\r\n") + 4), line;
    struct err e;
    json_t *head, *item, *event;

    assert_true(str_cut(&rest, '\n', &line));
    assert_int_equal(json_read(line, &head, &e), 0);
    assert_true(str_cut(&rest, '\n', &line));
    assert_int_equal(json_read(line, &item, &e), 0);
    assert_true(str_cut(&rest, '\n', &line));
    assert_int_equal(json_int(item, "length", 0), line.n);
    assert_string_equal(json_text(item, "type", ""), "event");
    assert_int_equal(json_read(line, &event, &e), 0);
    assert_string_equal(json_text(head, "event_id", "a"), json_text(event, "event_id", "b"));
    json_decref(head);
    json_decref(item);
    return event;
}

static void an_event_arrives_as_an_envelope(void **state)
{
    struct sentry_stats stats;
    (void)state;

    pthread_t thread = serve(200);
    struct sentry *s = open_sentry(NULL);
    sentry_report(s, &(struct sentry_event){.message = "it broke", .request_id = "r-9"});
    pthread_join(thread, NULL);
    for (int i = 0; i < 500; i++) {
        sentry_stats(s, &stats);
        if (stats.sent)
            break;
        usleep(10000);
    }
    assert_int_equal(stats.sent, 1);
    sentry_close(s, 5);
    close(server.fd);
    assert_non_null(strstr(server.request, "POST /sub/api/42/envelope/ HTTP/1.1\r\n"));
    assert_non_null(strstr(server.request, "sentry_key=public\r\n"));
    json_t *event = sent_event();
    assert_string_equal(json_text(json_object_get(event, "logentry"), "formatted", ""), "it broke");
    assert_string_equal(json_text(json_object_get(event, "tags"), "request_id", ""), "r-9");
    assert_string_equal(json_text(event, "environment", ""), "test");
    json_decref(event);
}

static void a_crash_is_reported_by_the_next_start(void **state)
{
    char folder[] = "/tmp/crashes-XXXXXX", path[64];
    struct stat st;
    int status;
    (void)state;

    assert_non_null(mkdtemp(folder));
    pid_t child = fork();
    if (child == 0) {
        struct err e;
        if (crash_catch(folder, "cauldron@1", &e))
            _exit(3);
        raise(SIGSEGV);
        _exit(4);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    snprintf(path, sizeof path, "%s/crash-%d", folder, (int)child);
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size > 0);

    pthread_t thread = serve(200);
    struct sentry *s = open_sentry(folder);
    pthread_join(thread, NULL);
    sentry_close(s, 5);
    close(server.fd);
    json_t *event = sent_event();
    const char *text = json_text(json_object_get(event, "logentry"), "formatted", "");
    assert_non_null(strstr(text, "crash of cauldron@1"));
    assert_non_null(strstr(text, "SIGSEGV"));
    assert_string_equal(json_text(event, "level", ""), "fatal");
    json_decref(event);
    assert_int_equal(stat(path, &st), -1);
    rmdir(folder);
}

static void other_dsns_are_refused(void **state)
{
    static const char *const bad[] = {"x", "ftp://k@h/1", "https://host/1", "https://k@host",
                                      "https://k@host/"};
    (void)state;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sentry *s = NULL;
        struct err e = {0};
        assert_int_equal(sentry_open(&(struct sentry_options){.dsn = bad[i]}, &s, &e), ERR_ARG);
    }
}

static void a_host_that_is_not_listed(void **state)
{
    struct egress *egress;
    struct sentry *s = NULL;
    struct err e;
    (void)state;

    assert_int_equal(egress_new("sentry.example.org,127.0.0.1:9", &egress, &e), 0);
    struct sentry_options o = {.dsn = "https://k@o1.example.org/1", .egress = egress};
    assert_int_equal(sentry_open(&o, &s, &e), ERR_DENIED);
    assert_non_null(strstr(e.message, "o1.example.org"));
    assert_non_null(strstr(e.message, "CAULDRON_ALLOW_HOSTS"));
    o.dsn = "http://k@127.0.0.1:10/1";
    assert_int_equal(sentry_open(&o, &s, &e), ERR_DENIED);
    assert_null(s);
    o.dsn = "http://k@127.0.0.1:9/1";
    assert_int_equal(sentry_open(&o, &s, &e), 0);
    sentry_close(s, 0);
    egress_free(egress);
}

static void without_a_dsn_nothing_happens(void **state)
{
    struct sentry_stats stats;
    struct sentry *s;
    struct err e;
    (void)state;

    assert_int_equal(sentry_open(&(struct sentry_options){0}, &s, &e), 0);
    sentry_report(s, &(struct sentry_event){.message = "m"});
    sentry_stats(s, &stats);
    assert_int_equal(stats.sent + stats.failed + stats.dropped, 0);
    sentry_close(s, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_arrives_as_an_envelope),
        cmocka_unit_test(a_crash_is_reported_by_the_next_start),
        cmocka_unit_test(other_dsns_are_refused),
        cmocka_unit_test(a_host_that_is_not_listed),
        cmocka_unit_test(without_a_dsn_nothing_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
