#include "net/http.h"

#include "base/buf.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum { IDLE_MOST = 64, HEADERS_MOST = 64 << 10, ORIGIN_ROOM = 320 };

/* A handle of libcurl with the connections that it keeps. One that was used without refuse_private
 * may keep a connection to a private address, so those that refuse have handles of their own. */
struct line {
    struct line *next;
    CURL *curl;
    bool refuses;
    char origin[ORIGIN_ROOM]; /* where its newest connection leads */
};

/* libcurl's lock data: names and TLS sessions are shared; connections are not, as libcurl does not
 * share them between threads. */
struct net {
    const struct egress *egress;
    char *ca_file;
    CURLSH *share;
    pthread_mutex_t share_locks[CURL_LOCK_DATA_LAST];
    pthread_mutex_t lock;
    struct line *idle; /* the last used first */
    int idle_count;
};

struct call {
    const struct net_request *request;
    struct line *line;
    struct buf body, headers;
    struct curl_slist *sent_headers;
    bool too_large, refused_address;
    char error[CURL_ERROR_SIZE];
};

/* ============================== The pool ============================== */

static void lock_share(CURL *c, curl_lock_data what, curl_lock_access access, void *user)
{
    (void)c, (void)access;
    pthread_mutex_lock(&((struct net *)user)->share_locks[what]);
}

static void unlock_share(CURL *c, curl_lock_data what, void *user)
{
    (void)c;
    pthread_mutex_unlock(&((struct net *)user)->share_locks[what]);
}

int net_open(const struct net_options *o, struct net **out, struct err *e)
{
    struct net *n = calloc(1, sizeof *n);

    if (!n || curl_global_init(CURL_GLOBAL_DEFAULT) || !(n->share = curl_share_init()) ||
        (o->ca_file && !(n->ca_file = strdup(o->ca_file)))) {
        if (n)
            curl_share_cleanup(n->share);
        free(n);
        return ERR(e, ERR_NOMEM, "no memory for outgoing connections");
    }
    n->egress = o->egress;
    pthread_mutex_init(&n->lock, NULL);
    for (int i = 0; i < CURL_LOCK_DATA_LAST; i++)
        pthread_mutex_init(&n->share_locks[i], NULL);
    curl_share_setopt(n->share, CURLSHOPT_LOCKFUNC, lock_share);
    curl_share_setopt(n->share, CURLSHOPT_UNLOCKFUNC, unlock_share);
    curl_share_setopt(n->share, CURLSHOPT_USERDATA, n);
    curl_share_setopt(n->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    curl_share_setopt(n->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    *out = n;
    return 0;
}

static void line_free(struct line *l)
{
    curl_easy_cleanup(l->curl);
    free(l);
}

void net_close(struct net *n)
{
    if (!n)
        return;
    while (n->idle) {
        struct line *l = n->idle;
        n->idle = l->next;
        line_free(l);
    }
    curl_share_cleanup(n->share);
    for (int i = 0; i < CURL_LOCK_DATA_LAST; i++)
        pthread_mutex_destroy(&n->share_locks[i]);
    pthread_mutex_destroy(&n->lock);
    free(n->ca_file);
    free(n);
}

const struct egress *net_egress(const struct net *n)
{
    return n->egress;
}

/* An idle handle that is connected to that origin, or a new one. */
static struct line *line_take(struct net *n, const char *origin, bool refuses)
{
    pthread_mutex_lock(&n->lock);
    struct line **at = &n->idle;
    while (*at && ((*at)->refuses != refuses || strcmp((*at)->origin, origin) != 0))
        at = &(*at)->next;
    struct line *l = *at;
    if (l) {
        *at = l->next;
        n->idle_count--;
    }
    pthread_mutex_unlock(&n->lock);
    if (l)
        return l;
    l = calloc(1, sizeof *l);
    if (l && !(l->curl = curl_easy_init())) {
        free(l);
        return NULL;
    }
    if (l) {
        l->refuses = refuses;
        snprintf(l->origin, sizeof l->origin, "%s", origin);
    }
    return l;
}

static void line_give_back(struct net *n, struct line *l)
{
    struct line *last = NULL;

    pthread_mutex_lock(&n->lock);
    l->next = n->idle;
    n->idle = l;
    if (++n->idle_count > IDLE_MOST) {
        struct line **at = &n->idle;
        while ((*at)->next)
            at = &(*at)->next;
        last = *at;
        *at = NULL;
        n->idle_count--;
    }
    pthread_mutex_unlock(&n->lock);
    if (last)
        line_free(last);
}

/* ============================== Callbacks ============================== */

static size_t on_body(char *p, size_t size, size_t count, void *user)
{
    struct call *c = user;

    if (buf_add(&c->body, p, size * count)) {
        c->too_large = true;
        return 0;
    }
    return size * count;
}

/* "Name: value\r\n" -> "name: value\n". A status line begins an answer: what came before it
 * belonged to an interim one (100, 103). Trailers are no headers. */
static size_t on_header(char *line, size_t size, size_t count, void *user)
{
    struct call *c = user;
    size_t n = size * count, name = 0, end = n;

    if (n > 5 && strncmp(line, "HTTP/", 5) == 0) {
        buf_release(&c->headers);
        buf_init(&c->headers, HEADERS_MOST);
        return n;
    }
    while (name < n && line[name] != ':')
        name++;
    while (end && strchr("\r\n \t", line[end - 1]))
        end--;
    if (name >= end || c->body.n)
        return n;
    for (size_t i = 0; i < name; i++)
        line[i] = line[i] >= 'A' && line[i] <= 'Z' ? (char)(line[i] + 32) : line[i];
    size_t value = name + 1;
    while (value < end && (line[value] == ' ' || line[value] == '\t'))
        value++;
    if (buf_addf(&c->headers, "%.*s: %.*s\n", (int)name, line, (int)(end - value), line + value)) {
        c->too_large = true;
        return 0;
    }
    return n;
}

static int on_progress(void *user, curl_off_t a, curl_off_t b, curl_off_t d, curl_off_t f)
{
    const struct call *c = user;

    (void)a, (void)b, (void)d, (void)f;
    return c->request->stop && *c->request->stop;
}

static curl_socket_t open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *at)
{
    struct call *c = user;

    (void)purpose;
    /* The next address of the same name may be a public one. */
    c->refused_address = c->request->refuse_private && !address_is_public(&at->addr);
    if (c->refused_address)
        return CURL_SOCKET_BAD;
    return socket(at->family, at->socktype | SOCK_CLOEXEC, at->protocol);
}

/* ============================== One request ============================== */

static bool line_ok(const char *line)
{
    if (!strchr(line, ':'))
        return false;
    for (; *line; line++)
        if (((unsigned char)*line < ' ' && *line != '\t') || *line == 127)
            return false;
    return true;
}

/* A line that cannot break out into another header or a body. */
static int add_header(struct call *c, const char *line, struct err *e)
{
    if (!line_ok(line))
        return ERR(e, ERR_ARG, "a header of the request has no name or holds a control character");
    struct curl_slist *more = curl_slist_append(c->sent_headers, line);
    if (!more)
        return ERR(e, ERR_NOMEM, "no memory for a request");
    c->sent_headers = more;
    return 0;
}

static int set_headers(struct call *c, struct err *e)
{
    const char *const *given = c->request->headers;
    bool typed = false;
    int rc = add_header(c, "Expect:", e); /* no waiting for "100 Continue" */

    for (; rc == 0 && given && *given; given++) {
        typed = typed || strncasecmp(*given, "content-type:", 13) == 0;
        rc = add_header(c, *given, e);
    }
    if (rc == 0 && !typed) /* libcurl would call it a form */
        rc = add_header(c, "Content-Type:", e);
    if (rc == 0)
        curl_easy_setopt(c->line->curl, CURLOPT_HTTPHEADER, c->sent_headers);
    return rc;
}

static int set_method(struct call *c, struct err *e)
{
    const struct net_request *r = c->request;
    const char *method = r->method ? r->method : "GET";
    bool wants_body = strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0;
    CURL *curl = c->line->curl;

    if (!method[0] || method[strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")])
        return ERR(e, ERR_ARG, "'%.40s' is not a method", method);
    if (strcmp(method, "HEAD") == 0) {
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
        return 0;
    }
    if (r->body.p || wants_body) { /* an empty body has a Content-Length, too */
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, r->body.p ? r->body.p : "");
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    return 0;
}

static long milliseconds(double seconds, double otherwise)
{
    double ms = (seconds > 0 ? seconds : otherwise) * 1000;
    return ms < 1 ? 1 : ms > 1e9 ? 1000000000 : (long)ms;
}

static int prepare(struct net *n, struct call *c, struct err *e)
{
    const struct net_request *r = c->request;
    CURL *curl = c->line->curl;

    curl_easy_reset(curl); /* connections stay */
    curl_easy_setopt(curl, CURLOPT_URL, r->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    /* A connection of its own for each thread: one that is slow holds up nobody. */
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    /* A proxy of the environment would resolve names itself, past all checks. */
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (n->ca_file) /* the system's folder (CAPATH) is still looked into */
        curl_easy_setopt(curl, CURLOPT_CAINFO, n->ca_file);
    curl_easy_setopt(curl, CURLOPT_SHARE, n->share);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "cauldron");
    curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, 512L << 10);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(r->connect_timeout, 10));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, milliseconds(r->timeout, 60));
    if (r->stall > 0) {
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)(r->stall + 0.999));
    }
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, c->error);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, c);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, c);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, c);
    if (set_method(c, e))
        return e->code;
    return set_headers(c, e);
}

static int curl_error(const struct call *c, CURLcode code, struct err *e)
{
    const char *origin = c->line->origin; /* paths and queries may be secrets */

    if (code == CURLE_ABORTED_BY_CALLBACK)
        return ERR(e, ERR_CANCELLED, "the request to '%s' was stopped", origin);
    if (c->too_large)
        return ERR(e, ERR_FORMAT, "the answer of '%s' has more than %zu bytes", origin,
                   c->body.max);
    if (c->refused_address)
        return ERR(e, ERR_DENIED, "'%s' has an address of a private network, which is not allowed",
                   origin);
    if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE)
        return ERR(e, ERR_DENIED, "'%s' cannot be trusted: %s", origin,
                   c->error[0] ? c->error : curl_easy_strerror(code));
    if (code == CURLE_OUT_OF_MEMORY)
        return ERR(e, ERR_NOMEM, "no memory for a request to '%s'", origin);
    return ERR(e, ERR_NETWORK, "no answer from '%s': %s", origin,
               c->error[0] ? c->error : curl_easy_strerror(code));
}

static int status_of(const struct call *c)
{
    long status = 0;

    curl_easy_getinfo(c->line->curl, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

static int keep_answer(const struct call *c, struct arena *a, struct net_answer *out, struct err *e)
{
    char *body = arena_try(a, c->body.n + 1, 1);

    if (!body)
        return ERR(e, ERR_NOMEM, "no memory for an answer of %zu bytes", c->body.n);
    if (c->body.n)
        memcpy(body, c->body.p, c->body.n);
    out->status = status_of(c);
    out->headers = arena_str(a, (struct str){c->headers.p, c->headers.n});
    out->body = (struct str){body, c->body.n};
    return 0;
}

static int perform(struct net *n, struct call *c, struct arena *a, struct net_answer *out,
                   struct err *e)
{
    curl_off_t sent = 0;
    double seconds = 0;
    int rc = prepare(n, c, e);

    if (rc)
        return rc;
    CURLcode code = curl_easy_perform(c->line->curl);
    curl_easy_getinfo(c->line->curl, CURLINFO_SIZE_UPLOAD_T, &sent);
    curl_easy_getinfo(c->line->curl, CURLINFO_TOTAL_TIME, &seconds);
    out->sent = sent;
    out->seconds = seconds;
    if (code == CURLE_OK)
        return keep_answer(c, a, out, e);
    if (c->too_large)
        out->status = status_of(c);
    return curl_error(c, code, e);
}

static int check_target(const struct net *n, const struct net_request *r, struct arena *a,
                        const char **origin, struct err *e)
{
    struct net_url url;

    if (net_url_read(r->url, a, &url, e))
        return e->code;
    *origin = arena_printf(a, "%s://%s:%d", url.scheme, url.host, url.port);
    if (strlen(*origin) >= ORIGIN_ROOM)
        return ERR(e, ERR_ARG, "the name of host '%.100s...' is too long", url.host);
    if (egress_check(n->egress, url.host, url.port, e))
        return e->code;
    if (r->refuse_private && host_is_private(url.host, NULL))
        return ERR(e, ERR_DENIED, "host '%s' is in a private network, which is not allowed",
                   url.host);
    return 0;
}

int net_ask(struct net *n, const struct net_request *r, struct arena *a, struct net_answer *out,
            struct err *e)
{
    struct call c = {.request = r};
    struct net_answer answer = {.headers = ""};
    const char *origin = "";
    int rc = check_target(n, r, a, &origin, e);

    if (rc == 0 && !(c.line = line_take(n, origin, r->refuse_private)))
        rc = ERR(e, ERR_NOMEM, "no memory for a request to '%s'", origin);
    if (rc == 0) {
        buf_init(&c.body, r->max_answer ? r->max_answer : 1 << 20);
        buf_init(&c.headers, HEADERS_MOST);
        rc = perform(n, &c, a, &answer, e);
        line_give_back(n, c.line);
        curl_slist_free_all(c.sent_headers);
        buf_release(&c.body);
        buf_release(&c.headers);
    }
    *out = answer;
    return rc;
}

const char *net_header(const struct net_answer *answer, const char *name, struct arena *a)
{
    struct str rest = str_from(answer->headers), line;
    size_t n = strlen(name);

    while (str_cut(&rest, '\n', &line))
        if (line.n >= n + 2 && memcmp(line.p, name, n) == 0 && line.p[n] == ':')
            return arena_str(a, (struct str){line.p + n + 2, line.n - n - 2});
    return NULL;
}
