#include "api/api_routes.h"
#include "api/auth.h"
#include "api/live.h"
#include "api/model_tasks.h"
#include "api/page_cache.h"
#include "api/sockets.h"
#include "api/throttle.h"
#include "base/clock.h"
#include "base/log.h"
#include "cauldron.h"
#include "cli/commands.h"
#include "cli/find_model.h"
#include "cli/first_admin.h"
#include "cli/hub_settings.h"
#include "cli/platform.h"
#include "ops/mdns.h"
#include "storage/users.h"

#include <arpa/inet.h>
#include <math.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct want {
    struct platform_options platform;
    const char *address, *allowed_hosts, *allowed_origins, *trusted_proxies, *web, *name;
    const char *admin_name, *admin_password;
    int port, workers, queue, event_threads, connections, connections_per_address, sockets;
    double rate, header_seconds, body_seconds, idle_seconds, stop_seconds, session_hours;
    double ping_interval, ping_timeout;
    int max_cells, max_header, mdns;
    bool no_draw, quiet;
};

static const struct opt table[] = {
    {.heading = "Server"},
    {.name = "address",
     .letter = 'a',
     .type = OPT_STRING,
     OPT_INTO(struct want, address),
     .value = "IP",
     .initial = "127.0.0.1",
     .help = "to listen on; anything but a loopback address needs a user ('cauldron user add')"},
    {.name = "port",
     .letter = 'p',
     .type = OPT_INT,
     OPT_INTO(struct want, port),
     .value = "N",
     .min = 0,
     .max = 65535,
     .initial = "8000",
     .help = "0: any free one"},
    {.name = "web",
     .type = OPT_STRING,
     OPT_INTO(struct want, web),
     .value = "DIR",
     .help = "files served where no route matches; default: the web app of the installation"},
    {.name = "mdns",
     .type = OPT_CHOICE,
     OPT_INTO(struct want, mdns),
     .choices = off_on,
     .initial = "on",
     .help = "announce this server on the local network by multicast DNS, unless it listens on "
             "loopback only, and list others"},
    {.name = "name",
     .type = OPT_STRING,
     OPT_INTO(struct want, name),
     .value = "TEXT",
     .help = "that it is announced by; else 'Shadow Cauldron on HOST'"},
    {.name = "allowed-hosts",
     .type = OPT_STRING,
     OPT_INTO(struct want, allowed_hosts),
     .value = "LIST",
     .help = "names that the Host header may have, with commas; else any, or the loopback's own "
             "while there are no users"},
    {.name = "allowed-origins",
     .type = OPT_STRING,
     OPT_INTO(struct want, allowed_origins),
     .value = "LIST",
     .help = "origins of other web pages that may call, with commas"},
    {.name = "trusted-proxies",
     .type = OPT_STRING,
     OPT_INTO(struct want, trusted_proxies),
     .value = "LIST",
     .help = "addresses whose X-Forwarded-* headers count, with commas"},
    {.name = "admin-name",
     .type = OPT_STRING,
     OPT_INTO(struct want, admin_name),
     .value = "NAME",
     .initial = "admin",
     .help = "of the user that the next option makes"},
    {.name = "admin-password",
     .type = OPT_STRING,
     OPT_INTO(struct want, admin_password),
     .value = "TEXT",
     .help = "while there is no user, make one with it at the start; a command line is visible to "
             "others, so prefer the variable's _FILE form"},
    {.name = "session-hours",
     .type = OPT_F64,
     OPT_INTO(struct want, session_hours),
     .value = "F",
     .min = 0.1,
     .max = 8760,
     .initial = "168",
     .help = "how long a login lasts"},
    {.name = "stop-seconds",
     .type = OPT_F64,
     OPT_INTO(struct want, stop_seconds),
     .value = "F",
     .min = 0,
     .max = 3600,
     .initial = "20",
     .help = "that requests and nearly finished pictures get when the program is asked to end"},
    {.name = "quiet",
     .type = OPT_FLAG,
     OPT_INTO(struct want, quiet),
     .help = "do not print where to go first"},
    {.heading = "Limits"},
    {.name = "workers",
     .type = OPT_INT,
     OPT_INTO(struct want, workers),
     .value = "N",
     .min = 1,
     .max = 1000,
     .initial = "8",
     .help = "threads that handle requests"},
    {.name = "event-threads",
     .type = OPT_INT,
     OPT_INTO(struct want, event_threads),
     .value = "N",
     .min = 1,
     .max = 64,
     .initial = "2",
     .help = "threads that own the connections"},
    {.name = "request-queue",
     .type = OPT_INT,
     OPT_INTO(struct want, queue),
     .value = "N",
     .min = 1,
     .max = 100000,
     .initial = "512",
     .help = "requests that may wait for a thread; more are answered 503"},
    {.name = "max-connections",
     .type = OPT_INT,
     OPT_INTO(struct want, connections),
     .value = "N",
     .min = 1,
     .max = 100000,
     .initial = "4096",
     .help = "open at once"},
    {.name = "max-connections-per-address",
     .type = OPT_INT,
     OPT_INTO(struct want, connections_per_address),
     .value = "N",
     .min = 1,
     .max = 100000,
     .initial = "1024",
     .help = "the same for one client"},
    {.name = "max-sockets",
     .type = OPT_INT,
     OPT_INTO(struct want, sockets),
     .value = "N",
     .min = 1,
     .max = 1000000,
     .initial = "10000",
     .help = "Socket.IO clients"},
    {.name = "rate",
     .type = OPT_F64,
     OPT_INTO(struct want, rate),
     .value = "F",
     .min = 0,
     .max = 1e6,
     .initial = "0",
     .help = "requests a second of one client, with a burst of two seconds; 0: any number"},
    {.name = "max-header",
     .type = OPT_INT,
     OPT_INTO(struct want, max_header),
     .value = "BYTES",
     .min = 1024,
     .max = 1048576,
     .initial = "16384",
     .help = "of a request's headers"},
    {.name = "header-seconds",
     .type = OPT_F64,
     OPT_INTO(struct want, header_seconds),
     .value = "F",
     .min = 0.1,
     .max = 3600,
     .initial = "10",
     .help = "from the connection to the end of the headers"},
    {.name = "body-seconds",
     .type = OPT_F64,
     OPT_INTO(struct want, body_seconds),
     .value = "F",
     .min = 0.1,
     .max = 3600,
     .initial = "60",
     .help = "for the body"},
    {.name = "idle-seconds",
     .type = OPT_F64,
     OPT_INTO(struct want, idle_seconds),
     .value = "F",
     .min = 0.1,
     .max = 3600,
     .initial = "60",
     .help = "between requests of a connection"},
    {.name = "ping-interval",
     .type = OPT_F64,
     OPT_INTO(struct want, ping_interval),
     .value = "F",
     .min = 0.1,
     .max = 600,
     .initial = "25",
     .help = "seconds between Socket.IO heartbeats"},
    {.name = "ping-timeout",
     .type = OPT_F64,
     OPT_INTO(struct want, ping_timeout),
     .value = "F",
     .min = 0.1,
     .max = 600,
     .initial = "20",
     .help = "seconds for the answer to one"},
    {.name = "max-cells",
     .type = OPT_INT,
     OPT_INTO(struct want, max_cells),
     .value = "N",
     .min = 1,
     .max = 100000,
     .initial = "100000",
     .help = "of an experiment"},
    PLATFORM_STORE(struct want, platform),
    PLATFORM_DRAW(struct want, platform),
    {.name = "no-draw",
     .type = OPT_FLAG,
     OPT_INTO(struct want, no_draw),
     .help = "leave the drawing to 'cauldron worker' processes"},
    PLATFORM_TASKS(struct want, platform),
    PLATFORM_PUSH(struct want, platform),
    {.heading = "Reports"},
    PLATFORM_REPORT(struct want, platform),
    {0},
};

static const struct opt_spec spec = {
    .command = "serve",
    .usage = "[options]",
    .summary = "Serve the API and draw. Every option can be set in the environment, too: the "
               "variable is named in brackets.",
    .table = table,
    .environment = true,
};

static bool is_loopback(const char *address)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (inet_pton(AF_INET, address, &v4) == 1)
        return (ntohl(v4.s_addr) >> 24) == 127;
    return inet_pton(AF_INET6, address, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

/* Whether anybody must log in; a server that others can reach needs that. */
static int settle_login(struct app *app, const struct want *want, struct err *e)
{
    int64_t users, admins;
    struct tx *tx;

    if (want->admin_password && first_admin(app->db, want->admin_name, want->admin_password, e))
        return e->code;
    if (tx_begin(app->db, TX_READ, &tx, e))
        return e->code;
    int rc = users_count(tx, &users, &admins, e);
    tx_rollback(tx);
    if (rc)
        return rc;
    if (!users && !is_loopback(want->address))
        return ERR(e, ERR_DENIED,
                   "listening on %s lets others in, and there is no user yet: run 'cauldron user "
                   "add NAME --role admin' first, name a file with a password for 'admin' in "
                   "CAULDRON_ADMIN_PASSWORD_FILE, or listen on 127.0.0.1",
                   want->address);
    app->login_needed = users > 0;
    return 0;
}

/* ============================== After each response ============================== */

static void report_failure(struct app *app, const struct request *r, unsigned status)
{
    const struct route *route = request_route(r);
    struct arena a = {0};

    sentry_report(app->sentry,
                  &(struct sentry_event){
                      .message = arena_printf(&a, "%s was answered %u",
                                              route ? route->operation : "a request", status),
                      .request_id = request_id(r),
                      .trace_id = log_here().trace_id,
                      .operation = route ? route->operation : NULL});
    arena_release(&a);
}

static void finished(void *context, const struct request *r, unsigned status, double seconds,
                     int64_t bytes)
{
    struct app *app = context;
    const struct route *route = request_route(r);
    const char *name = route ? route->operation : "none";
    char labels[METRIC_LABELS], code[12];

    snprintf(code, sizeof code, "%u", status);
    metrics_labels(labels, "route", name, "status", code, NULL);
    metrics_add(app->metrics, METRIC_HTTP_REQUESTS, labels, 1);
    metrics_labels(labels, "route", name, NULL);
    metrics_observe(app->metrics, METRIC_HTTP_SECONDS, labels, seconds);
    metrics_add(app->metrics, METRIC_HTTP_BYTES, "", (double)bytes);
    if (status >= 500 && status != 503)
        report_failure(app, r, status);
    LOG(status >= 500 ? LOG_WARNING : LOG_DEBUG, "request", LOG_TEXT("request_id", request_id(r)),
        LOG_TEXT("operation", name), LOG_NUMBER("status", status), LOG_NUMBER("seconds", seconds),
        LOG_TEXT("address", request_address(r)));
}

/* ============================== Start and stop ============================== */

static struct http_options http_from(const struct want *want, struct app *app, struct arena *a)
{
    static const char *const scopes[] = {"read", "write", "admin", NULL};
    struct http_options o = http_options();

    o.address = want->address;
    o.port = want->port;
    o.workers = want->workers;
    o.queue = want->queue;
    o.event_threads = want->event_threads;
    o.max_connections = want->connections;
    o.max_connections_per_address = want->connections_per_address;
    o.requests_per_second_per_address = want->rate;
    o.header_seconds = want->header_seconds;
    o.body_seconds = want->body_seconds;
    o.idle_seconds = want->idle_seconds;
    o.max_header_bytes = (size_t)want->max_header;
    o.trusted_proxies = want->trusted_proxies;
    o.allowed_origins = want->allowed_origins;
    /* Where nobody logs in, a page that had its name resolved to this machine (DNS rebinding) would
     * be let in, too: only the loopback's own names are answered. */
    o.allowed_hosts = want->allowed_hosts || app->login_needed ? want->allowed_hosts
                                                               : "localhost,127.0.0.1,[::1]";
    o.static_root = want->web && want->web[0] ? want->web : app_folder(a);
    o.routes = api_routes;
    o.route_count = api_route_count;
    o.scopes = scopes;
    o.context = app;
    o.identify = auth_identify;
    o.sockets = app->sockets;
    o.finished = finished;
    return o;
}

static int start_sockets(const struct want *want, struct app *app, struct err *e)
{
    struct socketio_options o = socketio_options();

    o.max_sockets = want->sockets;
    o.ping_interval = want->ping_interval;
    o.ping_timeout = want->ping_timeout;
    o.allowed_origins = want->allowed_origins;
    sockets_options(app, &o);
    if (socketio_start(&o, &app->sockets, e))
        return e->code;
    bus_listen(app->bus, sockets_forward, app);
    return 0;
}

static void say_hello(const struct want *want, const struct app *app, int port)
{
    const char *host = is_loopback(want->address) ? "localhost" : want->address;

    if (want->quiet)
        return;
    printf("Shadow Cauldron is at http://%s:%d\n\n"
           "  curl -X POST http://%s:%d/api/v1/generate -H 'Content-Type: application/json' \\\n"
           "       -H 'Prefer: wait=60' -d '{\"prompt\": \"a red circle left of a blue "
           "square\"}'\n\n"
           "  http://%s:%d/docs explains every route; stop with Ctrl-C.%s\n",
           host, port, host, port, host, port,
           app->login_needed ? "\n  Users must log in, or send an API key." : "");
    fflush(stdout);
}

static int start_worker(const struct want *want, struct platform *p, struct app *app, struct err *e)
{
    struct worker_options o = platform_worker(p, &want->platform);

    o.draw = !want->no_draw;
    o.nice = 5; /* answers come before pictures */
    return worker_start(&o, &app->worker, e);
}

/* Without a place to keep models the rest works all the same. */
static int start_model_tasks(struct platform *p, struct app *app, struct err *e)
{
    const char *no_hub = hub_offline();
    struct model_hub hub = {0};

    if (!no_hub && !hub_cache_folder(&p->arena))
        no_hub = "there is no home folder to keep models in; start the server with HF_HOME set";
    if (!no_hub && hub_from_environment(&hub, &p->arena, e))
        return e->code;
    hub.egress = p->outside.egress;
    return model_tasks_start(app, &hub, no_hub, p->data, e);
}

static int start_mdns(const struct want *want, int port, struct app *app, struct err *e)
{
    struct mdns_options o = {.name = want->name,
                             .version = app->version,
                             .address = want->address,
                             .port = port,
                             .announce = !is_loopback(want->address),
                             .off = !want->mdns};
    struct mdns *mdns;

    if (mdns_start(&o, &mdns, e))
        return e->code;
    app->mdns = mdns;
    return 0;
}

/* Each connection is a file; the soft limit is often 1024. */
static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit))
            LOG(LOG_WARNING, "the limit of open files stays", LOG_NUMBER("files", limit.rlim_cur));
    }
}

static struct app *app_from(const struct want *want, struct platform *p)
{
    struct app *app = ARENA_NEW(&p->arena, struct app);

    app->db = p->db;
    app->blobs = p->blobs;
    app->queue = p->queue;
    app->bus = p->bus;
    app->submitter = &p->submitter;
    app->provider = p->provider;
    app->metrics = p->metrics;
    app->sentry = p->sentry;
    app->push = notifier_push(p->notifier);
    app->tasks = &p->tasks;
    app->task_runner = p->task_runner;
    app->throttle = throttle_new();
    app->live = live_new(p->bus);
    app->pages = page_cache_new();
    app->session_ms = (int64_t)(want->session_hours * 3600e3);
    app->version = CAULDRON_VERSION;
    app->started_at = clock_unix_ms();
    app->max_cells = want->max_cells;
    return app;
}

static int serve(const void *asked, struct platform *p, struct err *e)
{
    const struct want *want = asked;
    struct http_server *http = NULL;

    if (platform_notify(p, &want->platform, e) || platform_tasks(p, &want->platform, e) ||
        platform_run_tasks(p, &want->platform, NULL, e))
        return e->code;
    struct app *app = app_from(want, p);
    int rc = settle_login(app, want, e);

    raise_file_limit();
    if (rc == 0)
        rc = start_sockets(want, app, e);
    if (rc == 0)
        rc = start_model_tasks(p, app, e);
    if (rc == 0)
        rc = start_worker(want, p, app, e);
    struct http_options options = http_from(want, app, &p->arena);
    if (rc == 0)
        rc = http_start(&options, &http, e);
    if (rc == 0)
        rc = start_mdns(want, http_port(http), app, e);
    if (rc == 0) {
        say_hello(want, app, http_port(http));
        LOG(LOG_INFO, "serving", LOG_TEXT("address", want->address),
            LOG_NUMBER("port", http_port(http)));
        int number = signals_wait();
        LOG(LOG_INFO, "stopping", LOG_TEXT("signal", strsignal(number)));
    }
    bus_forget(app->bus, app);
    if (app->sockets)
        socketio_stop(app->sockets);
    if (http)
        http_stop(http, want->stop_seconds);
    mdns_stop(app->mdns);
    if (app->sockets)
        socketio_free(app->sockets);
    if (app->worker)
        worker_stop(app->worker, want->stop_seconds);
    platform_stop_tasks(p);
    model_tasks_close(app->model_tasks);
    throttle_free(app->throttle);
    live_free(app->live);
    page_cache_free(app->pages);
    return rc;
}

static int run(int argc, char **argv)
{
    struct want want = {0};

    return platform_main(&spec, argc, argv, &want, &want.platform, serve);
}

const struct command command_serve = {
    .name = "serve",
    .summary = "the server: API, experiments, drawing",
    .run = run,
};
