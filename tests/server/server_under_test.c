/*
 * A server with one handler for everything that the HTTP half of src/server can do, for
 * test_http.py: server_under_test [name=value ...]. It prints its port, and ends when its standard
 * input does.
 */
#include "server/http.h"
#include "server/schema.h"

#include "base/clock.h"
#include "base/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct app {
    const char *file;
    pthread_mutex_t lock;
    struct later later[1000]; /* by the number in /later/{n} */
    int finished;
};

static void sleep_ms(long ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static int hello(struct request *r, struct response *w, struct err *e)
{
    (void)r;
    (void)e;
    return respond_json(w, 200, json_pack("{s:s, s:i}", "hello", "world", "answer", 42));
}

/* What the server understood. */
static int echo(struct request *r, struct response *w, struct err *e)
{
    const struct identity *who = request_identity(r);
    const char *cookie = request_cookie(r, "a"), *name = request_param(r, "name");
    json_t *body = request_json(r), *query = request_query(r);

    (void)e;
    return respond_json(w, 200,
                        json_pack("{s:s?, s:O?, s:O?, s:s, s:s, s:s, s:s?, s:i, s:s, s:s?, s:s?}",
                                  "name", name, "body", body, "query", query, "address",
                                  request_address(r), "base_url", request_base_url(r), "user",
                                  who->user_name, "cookie", cookie, "bytes", (int)request_body(r).n,
                                  "id", request_id(r), "operation", request_route(r)->operation,
                                  "trace", log_here().trace_id));
}

static int form(struct request *r, struct response *w, struct err *e)
{
    struct form_part *parts;
    size_t count;
    int rc = request_form(r, &parts, &count, e);

    if (rc)
        return rc;
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{s:s, s:s?, s:s?, s:i}", "name", parts[i].name,
                                              "filename", parts[i].filename, "type", parts[i].type,
                                              "bytes", (int)parts[i].value.n));
    return respond_json(w, 200, list);
}

static int tagged(struct request *r, struct response *w, struct err *e)
{
    (void)e;
    if (respond_not_modified(r, w, "\"v1\"", 0, 2))
        return 0;
    return respond_json(w, 200, json_object());
}

/* How long the body would be is not known. */
static int vague(struct request *r, struct response *w, struct err *e)
{
    (void)e;
    if (respond_not_modified(r, w, "\"v1\"", 0, 0))
        return 0;
    return respond_json(w, 200, json_object());
}

static int file(struct request *r, struct response *w, struct err *e)
{
    struct app *app = request_context(r);

    (void)e;
    return respond_file(w, open(app->file, O_RDONLY | O_CLOEXEC), "image/png", "\"tag-1\"",
                        365 * 24 * 3600);
}

static int fail(struct request *r, struct response *w, struct err *e)
{
    const char *name = request_param(r, "name");

    if (strcmp(name, "conflict") == 0)
        return ERR(e, ERR_CONFLICT, "it is there already");
    if (strcmp(name, "missing") == 0)
        return ERR(e, ERR_NOT_FOUND, "no such thing");
    if (strcmp(name, "network") == 0)
        return ERR(e, ERR_NETWORK, "secret host unreachable");
    if (strcmp(name, "nothing") == 0)
        return 0;
    respond_header(w, "X-Half", "done");
    return ERR(e, ERR_IO, "secret path unreadable");
}

static int slow(struct request *r, struct response *w, struct err *e)
{
    double end = clock_seconds() + strtod(request_param(r, "seconds"), NULL);

    (void)e;
    while (clock_seconds() < end && !request_gone(r))
        sleep_ms(5);
    return respond_json(w, 200, json_pack("{s:b}", "gone", request_gone(r)));
}

/* ==== waiting without a worker ==== */

static int later_done(struct request *r, struct response *w, void *user, struct err *e)
{
    struct app *app = user;

    (void)e;
    pthread_mutex_lock(&app->lock);
    int finished = app->finished++;
    pthread_mutex_unlock(&app->lock);
    return respond_json(w, 201,
                        json_pack("{s:i, s:b, s:s}", "finished", finished, "gone", request_gone(r),
                                  "id", request_id(r)));
}

static int later(struct request *r, struct response *w, struct err *e)
{
    struct app *app = request_context(r);
    int64_t n;

    if (!str_to_i64(str_from(request_param(r, "n")), &n) || n < 0 || n >= 1000)
        return ERR(e, ERR_ARG, "a number from 0 to 999");
    json_t *seconds = json_object_get(request_query(r), "seconds");
    struct later l =
        respond_later(r, w, seconds ? json_number_value(seconds) : 30, later_done, app);
    pthread_mutex_lock(&app->lock);
    app->later[n] = l;
    pthread_mutex_unlock(&app->lock);
    if (n == 0)
        later_finish(l); /* before the handler returned */
    return n == 1 ? ERR(e, ERR_CONFLICT, "it cannot wait") : 0;
}

static int finish(struct request *r, struct response *w, struct err *e)
{
    struct app *app = request_context(r);
    int64_t n;

    if (!str_to_i64(str_from(request_param(r, "n")), &n) || n < 0 || n >= 1000)
        return ERR(e, ERR_ARG, "a number from 0 to 999");
    pthread_mutex_lock(&app->lock);
    struct later l = app->later[n];
    pthread_mutex_unlock(&app->lock);
    later_finish(l);
    later_finish(l);
    return respond_empty(w, 204);
}

/* ==== streams ==== */

struct count {
    struct app *app;
    int at, to;
    bool pausing;
};

static long next_event(void *user, char *out, size_t n)
{
    struct count *c = user;

    if (c->to < 0 && c->at == -c->to)
        return -2;
    if (c->at == c->to)
        return -1;
    c->pausing = !c->pausing;
    if (c->pausing && c->at % 3 == 1)
        return 0;
    return snprintf(out, n, "data: %d\n\n", c->at++);
}

static void end_events(void *user)
{
    struct count *c = user;

    pthread_mutex_lock(&c->app->lock);
    c->app->finished++;
    pthread_mutex_unlock(&c->app->lock);
    free(c);
}

static int events(struct request *r, struct response *w, struct err *e)
{
    struct count *c = calloc(1, sizeof *c);
    int64_t to = 0;

    if (!c)
        return ERR(e, ERR_NOMEM, "no memory");
    str_to_i64(str_from(request_param(r, "n")), &to);
    *c = (struct count){.app = request_context(r), .to = (int)to};
    return respond_stream(w, 200,
                          &(struct stream){"text/event-stream", 0.05, c, next_event, end_events});
}

static long nothing_yet(void *user, char *out, size_t n)
{
    struct count *c = user;

    (void)out;
    (void)n;
    c->at++;
    return 0;
}

/* Counts every question beyond the first. */
static void end_silence(void *user)
{
    struct count *c = user;

    pthread_mutex_lock(&c->app->lock);
    c->app->finished += c->at > 1 ? c->at : 1;
    pthread_mutex_unlock(&c->app->lock);
    free(c);
}

static int silence(struct request *r, struct response *w, struct err *e)
{
    struct count *c = calloc(1, sizeof *c);

    if (!c)
        return ERR(e, ERR_NOMEM, "no memory");
    c->app = request_context(r);
    return respond_stream(w, 200,
                          &(struct stream){"text/event-stream", 1000, c, nothing_yet, end_silence});
}

static int finished(struct request *r, struct response *w, struct err *e)
{
    struct app *app = request_context(r);

    (void)e;
    pthread_mutex_lock(&app->lock);
    int n = app->finished;
    pthread_mutex_unlock(&app->lock);
    return respond_json(w, 200, json_integer(n));
}

static void ended(void *user)
{
    struct app *app = user;

    pthread_mutex_lock(&app->lock);
    app->finished++;
    pthread_mutex_unlock(&app->lock);
}

static int plain(struct request *r, struct response *w, struct err *e)
{
    (void)e;
    request_at_end(r, ended, request_context(r));
    request_at_end(r, ended, request_context(r));
    respond_header(w, "X-Twice", "first");
    respond_header(w, "x-twice", "second");
    respond_header(w, "Link", "<a>");
    respond_header(w, "Link", "<b>");
    return respond_bytes(w, 203, "text/plain", STR("a\0b"));
}

/* A body is promised, then something goes wrong. */
static int replaced(struct request *r, struct response *w, struct err *e)
{
    struct app *app = request_context(r);
    int rc = silence(r, w, e);

    if (rc)
        return rc;
    respond_file(w, open(app->file, O_RDONLY | O_CLOEXEC), "image/png", NULL, 0);
    respond_json(w, 200, json_object());
    return respond_problem(w, 422, "invalid", "not UTF-8: \xff");
}

static int cookies(struct request *r, struct response *w, struct err *e)
{
    (void)r;
    (void)e;
    respond_cookie(w, "session", "abc", 60, true);
    respond_cookie(w, "old", "", 0, false);
    respond_header(w, "X-Bad", "a\r\nX-Injected: 1");
    respond_header(w, "Content-Security-Policy", "default-src 'none'");
    return respond_empty(w, 204);
}

/* ==== who asks: X-Test-Role names a role; "Bearer" keys have the scope "read" ==== */

static int who(struct request *r, struct identity *out, struct err *e)
{
    const char *role = request_cookie(r, "role"), *key = request_header(r, "Authorization");

    if (role && strcmp(role, "broken") == 0)
        return ERR(e, ERR_NETWORK, "the database is away");
    if (key) {
        role = "admin";
        out->by_key = true;
        out->scopes = 1;
    }
    out->role = !role                         ? ROLE_PUBLIC
                : strcmp(role, "viewer") == 0 ? ROLE_VIEWER
                : strcmp(role, "editor") == 0 ? ROLE_EDITOR
                : strcmp(role, "admin") == 0  ? ROLE_ADMIN
                                              : ROLE_PUBLIC;
    snprintf(out->user_name, sizeof out->user_name, "%s", role ? role : "");
    return 0;
}

static void log_request(void *context, const struct request *r, unsigned status, double seconds,
                        int64_t bytes)
{
    const struct route *route = request_route(r);

    (void)context;
    LOG(LOG_INFO, "request", LOG_TEXT("operation", route ? route->operation : "none"),
        LOG_NUMBER("status", status), LOG_NUMBER("bytes", bytes),
        LOG_NUMBER("positive", seconds > 0));
}

static const struct schema text = {.types = SCHEMA_STRING, .max_length = 20};
static const struct schema number = {.types = SCHEMA_NUMBER, .minimum = 0, .maximum = 100};
static const struct schema steps = {
    .types = SCHEMA_INTEGER, .minimum = 1, .maximum = 50, .initial = "20"};
static const struct schema texts = {.types = SCHEMA_ARRAY, .items = &text, .max_items = 3};
static const struct schema_member body_members[] = {{"prompt", &text, true},
                                                    {"steps", &steps, false}};
static const struct schema body = {
    .types = SCHEMA_OBJECT, .members = body_members, .member_count = 2};
static const struct schema_member query_members[] = {
    {"tag", &texts, false}, {"steps", &steps, false}, {"seconds", &number, false}};
static const struct schema query = {
    .types = SCHEMA_OBJECT, .members = query_members, .member_count = 3};

static const struct route routes[] = {
    {"GET", "/hello", "hello", .handle = hello},
    {"GET", "/echo/{name}", "echo", .query = &query, .handle = echo},
    {"GET", "/echo/{name}/deep/{name2}", "echo_deep", .handle = echo},
    {"GET", "/echo/fixed", "echo_fixed", .handle = hello},
    {"POST", "/json", "post_json", .max_body = 1000, .body_required = true, .body = &body,
     .handle = echo},
    {"POST", "/optional", "post_optional", .max_body = 1000, .body = &body, .handle = echo},
    {"POST", "/bytes", "post_bytes", .max_body = 1 << 20, .handle = echo},
    {"POST", "/form", "post_form", .max_body = 1 << 20, .handle = form},
    {"PUT", "/hello", "put_hello", .handle = hello},
    {"GET", "/tagged", "tagged", .handle = tagged},
    {"GET", "/vague", "vague", .handle = vague},
    {"GET", "/file", "get_file", .handle = file},
    {"GET", "/fail/{name}", "fail", .handle = fail},
    {"GET", "/slow/{seconds}", "slow", .handle = slow},
    {"GET", "/later/{n}", "later", .query = &query, .handle = later},
    {"POST", "/finish/{n}", "finish", .handle = finish},
    {"GET", "/events/{n}", "events", .handle = events},
    {"GET", "/silence", "silence", .handle = silence},
    {"GET", "/finished", "finished", .handle = finished},
    {"GET", "/plain", "plain", .handle = plain},
    {"GET", "/replaced", "replaced", .handle = replaced},
    {"GET", "/cookies", "cookies", .handle = cookies},
    {"GET", "/viewer", "viewer", .role = ROLE_VIEWER, .scope = "read", .handle = hello},
    {"POST", "/editor", "editor", .role = ROLE_EDITOR, .scope = "write", .handle = hello},
    {"POST", "/upload", "upload", .role = ROLE_EDITOR, .max_body = 1 << 20, .handle = echo},
    {"DELETE", "/admin", "admin", .role = ROLE_ADMIN, .scope = "admin", .handle = hello},
};

static const char *const scopes[] = {"read", "write", "admin", NULL};

/* "name=value" of the command line. */
static bool option(struct http_options *o, struct app *app, double *stop, const char *argument)
{
    const char *equals = strchr(argument, '=');
    struct str name = {argument, equals ? (size_t)(equals - argument) : 0};
    const char *value = equals ? equals + 1 : "";
    double v = strtod(value, NULL);
    struct {
        const char *name;
        int *whole;
        double *real;
        const char **text;
    } known[] = {
        {"workers", .whole = &o->workers},
        {"queue", .whole = &o->queue},
        {"event_threads", .whole = &o->event_threads},
        {"max_connections", .whole = &o->max_connections},
        {"per_address", .whole = &o->max_connections_per_address},
        {"rate", .real = &o->requests_per_second_per_address},
        {"header_seconds", .real = &o->header_seconds},
        {"body_seconds", .real = &o->body_seconds},
        {"idle_seconds", .real = &o->idle_seconds},
        {"stop_seconds", .real = stop},
        {"trusted_proxies", .text = &o->trusted_proxies},
        {"allowed_origins", .text = &o->allowed_origins},
        {"allowed_hosts", .text = &o->allowed_hosts},
        {"static_root", .text = &o->static_root},
        {"address", .text = &o->address},
        {"file", .text = &app->file},
        {"port", .whole = &o->port},
    };

    if (str_is(name, "buffered")) {
        o->max_buffered_bytes = (size_t)v;
        return true;
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (str_is(name, known[i].name)) {
            if (known[i].whole)
                *known[i].whole = (int)v;
            else if (known[i].real)
                *known[i].real = v;
            else
                *known[i].text = value;
            return true;
        }
    return false;
}

int main(int argc, char **argv)
{
    struct app app = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct http_options o = http_options();
    struct http_server *server;
    struct err e;
    double stop = 5;
    char byte;

    o.routes = routes;
    o.route_count = sizeof routes / sizeof *routes;
    o.context = &app;
    o.identify = who;
    o.scopes = scopes;
    o.finished = log_request;
    o.max_connections_per_address = 0;
    for (int i = 1; i < argc; i++)
        if (!option(&o, &app, &stop, argv[i])) {
            fprintf(stderr, "unknown option '%s'\n", argv[i]);
            return 2;
        }
    log_open(&(struct log_options){.level = LOG_INFO, .json = true, .file = stderr});
    if (http_start(&o, &server, &e)) {
        fprintf(stderr, "%s\n", e.message);
        return 1;
    }
    printf("%d\n", http_port(server));
    fflush(stdout);
    while (read(0, &byte, 1) > 0)
        ;
    http_stop(server, stop);
    printf("%d\n", app.finished);
    return 0;
}
