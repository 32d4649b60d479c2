/* The server as a whole: options, the listening socket, start and stop. */
#include "server/exchange.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

struct http_options http_options(void)
{
    return (struct http_options){
        .address = "127.0.0.1",
        .event_threads = 2,
        .workers = 8,
        .queue = 512,
        .max_connections = 4096,
        .max_connections_per_address = 256,
        .requests_per_second_per_address = 0,
        .header_seconds = 10,
        .body_seconds = 60,
        .idle_seconds = 75,
        .max_header_bytes = 8192,
        .max_buffered_bytes = (size_t)256 << 20,
    };
}

/* ==== listening ==== */

static int listen_on(const struct addrinfo *ai)
{
    int on = 1, off = 0;
    int fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, ai->ai_protocol);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (ai->ai_family == AF_INET6) /* "::" takes IPv4, too */
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && listen(fd, 1024) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static int port_of(int fd)
{
    struct sockaddr_storage sa = {0};
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    socklen_t n = sizeof sa;

    if (getsockname(fd, (struct sockaddr *)&sa, &n))
        return 0;
    if (sa.ss_family == AF_INET6) {
        memcpy(&v6, &sa, sizeof v6);
        return ntohs(v6.sin6_port);
    }
    memcpy(&v4, &sa, sizeof v4);
    return ntohs(v4.sin_port);
}

static int open_socket(struct http_server *s, int *out, struct err *e)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *list;
    char port[16];
    int fd = -1;

    if (s->o.port < 0 || s->o.port > 65535)
        return ERR(e, ERR_ARG, "%d is not a port", s->o.port);
    snprintf(port, sizeof port, "%d", s->o.port);
    int rc = getaddrinfo(s->o.address, port, &hints, &list);
    if (rc)
        return ERR(e, ERR_ARG, "'%s' is not an address to listen on: %s", s->o.address,
                   gai_strerror(rc));
    for (const struct addrinfo *ai = list; ai && fd < 0; ai = ai->ai_next)
        fd = listen_on(ai);
    freeaddrinfo(list);
    if (fd < 0)
        return ERR(e, ERR_IO, "cannot listen on %s port %d: %s", s->o.address, s->o.port,
                   strerror(errno));
    s->port = port_of(fd);
    *out = fd;
    return 0;
}

/* ==== start ==== */

/* Without descriptors nobody is accepted any more, not even those who would free some. */
static void check_descriptors(const struct http_options *o)
{
    struct rlimit limit;
    rlim_t need = (rlim_t)o->max_connections + 128;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < need)
        LOG(LOG_WARNING, "the limit of open files is below that of connections",
            LOG_NUMBER("open_files", limit.rlim_cur), LOG_NUMBER("needed", need));
}

static void log_library(void *user, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

static void log_library(void *user, const char *format, va_list args)
{
    char line[512], *text = line;

    (void)user;
    vsnprintf(text, sizeof line, format, args);
    text[strcspn(text, "\n")] = 0;
    LOG(LOG_DEBUG, "libmicrohttpd", LOG_TEXT("message", text));
}

/* Paths and queries are decoded by target.c, which refuses what is not text. */
static size_t leave_escapes(void *user, struct MHD_Connection *mhd, char *text)
{
    (void)user;
    (void)mhd;
    return strlen(text);
}

static int start_library(struct http_server *s, int fd, struct err *e)
{
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE |
                     MHD_USE_ERROR_LOG;
    int threads = s->o.event_threads;
    double longest = s->o.body_seconds > s->o.idle_seconds ? s->o.body_seconds : s->o.idle_seconds;
    /* libmicrohttpd keeps a request's headers, its list of them and the answer's headers here. */
    size_t memory = 2 * s->o.max_header_bytes + 4096;
    /* The limit of connections is ours: libmicrohttpd at its own stops accepting anybody. */
    unsigned most = (unsigned)s->o.max_connections + 64u * (unsigned)threads;
    struct MHD_OptionItem items[] = {
        {MHD_OPTION_LISTEN_SOCKET, fd, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)most, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)longest + 5, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)memory, NULL},
        {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
        {threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, threads, NULL},
        {MHD_OPTION_END, 0, NULL},
    };

    s->mhd = MHD_start_daemon(flags, 0, NULL, NULL, on_access, s, MHD_OPTION_EXTERNAL_LOGGER,
                              log_library, s, MHD_OPTION_ARRAY, items, MHD_OPTION_URI_LOG_CALLBACK,
                              on_uri, s, MHD_OPTION_UNESCAPE_CALLBACK, leave_escapes, s,
                              MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
                              MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_END);
    return s->mhd ? 0 : ERR(e, ERR_IO, "cannot start the HTTP server on port %d", s->port);
}

static int check(const struct http_options *o, struct err *e)
{
    if (o->event_threads < 1 || o->event_threads > 64)
        return ERR(e, ERR_ARG, "%d event threads are impossible; 1 to 64", o->event_threads);
    if (o->max_connections < 1 || o->max_connections_per_address < 0)
        return ERR(e, ERR_ARG, "the limit of connections must be at least 1");
    if (!(o->header_seconds > 0 && o->body_seconds > 0 && o->idle_seconds > 0))
        return ERR(e, ERR_ARG, "the times for headers, bodies and idling must be above 0 seconds");
    if (o->max_header_bytes < 1024 || o->max_header_bytes > 1 << 20)
        return ERR(e, ERR_ARG, "headers of %zu bytes are impossible; 1024 to 1048576",
                   o->max_header_bytes);
    return 0;
}

static const char *copy(struct http_server *s, const char *text)
{
    return text ? arena_strdup(&s->arena, text) : NULL;
}

static void server_free(struct http_server *s)
{
    if (s->pool)
        pool_stop(s->pool);
    if (s->watch)
        watch_stop(s->watch);
    if (s->static_root >= 0)
        close(s->static_root);
    router_free(s->router);
    limits_free(s->limits);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    arena_release(&s->arena);
    free(s);
}

static int prepare(struct http_server *s, struct err *e)
{
    const struct http_options *o = &s->o;
    int rc;

    if ((rc = check(o, e)) ||
        (rc = address_list_parse(&s->arena, o->trusted_proxies, &s->proxies, e)) ||
        (rc = router_new(o->routes, o->route_count, &s->router, e)))
        return rc;
    if (o->static_root) {
        s->static_root = open(o->static_root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (s->static_root < 0)
            return ERR(e, ERR_IO, "cannot open the folder '%s': %s", o->static_root,
                       strerror(errno));
    }
    s->limits = limits_new(o->max_connections_per_address, o->requests_per_second_per_address);
    if (!s->limits)
        return ERR(e, ERR_NOMEM, "no memory for the table of clients");
    if ((rc = pool_start(o->workers, o->queue, &s->pool, e)))
        return rc;
    return watch_start(on_tick, s, &s->watch, e);
}

int http_start(const struct http_options *o, struct http_server **out, struct err *e)
{
    struct http_server *s = calloc(1, sizeof *s);
    int rc, fd = -1;

    if (!s)
        return ERR(e, ERR_NOMEM, "no memory for an HTTP server");
    s->o = *o;
    s->static_root = -1;
    s->o.address = copy(s, o->address);
    s->o.allowed_origins = copy(s, o->allowed_origins);
    s->o.allowed_hosts = copy(s, o->allowed_hosts);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    if ((rc = prepare(s, e)) || (rc = open_socket(s, &fd, e)) || (rc = start_library(s, fd, e))) {
        if (fd >= 0)
            close(fd);
        server_free(s);
        return rc;
    }
    check_descriptors(&s->o);
    *out = s;
    return 0;
}

int http_port(const struct http_server *s)
{
    return s->port;
}

/* ==== stop ==== */

/* Until *count is 0, for at most `seconds` (below 0: for ever). */
static void wait_for_none(struct http_server *s, _Atomic int *count, double seconds)
{
    double end = clock_seconds() + seconds;

    pthread_mutex_lock(&s->lock);
    while (*count > 0 && (seconds < 0 || clock_seconds() < end)) {
        struct timespec at;
        clock_gettime(CLOCK_REALTIME, &at);
        at.tv_nsec += 50 * 1000 * 1000;
        if (at.tv_nsec >= 1000 * 1000 * 1000) {
            at.tv_nsec -= 1000 * 1000 * 1000;
            at.tv_sec++;
        }
        pthread_cond_timedwait(&s->changed, &s->lock, &at);
    }
    pthread_mutex_unlock(&s->lock);
}

void http_stop(struct http_server *s, double seconds)
{
    if (!s)
        return;
    /* Nobody can connect from here on; the number is kept until the library's threads, which may be
     * about to take it out of their epoll, have ended. */
    int fd = MHD_quiesce_daemon(s->mhd);
    if (fd >= 0)
        shutdown(fd, SHUT_RD);
    s->stopping = true;
    wait_for_none(s, &s->active, seconds > 0 ? seconds : 0);
    s->cancelled = true;
    watch_end(s->watch);
    wait_for_none(s, &s->suspended, -1); /* handlers see request_gone() and return */
    MHD_stop_daemon(s->mhd);
    if (fd >= 0)
        close(fd);
    server_free(s);
}
