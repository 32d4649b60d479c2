/* redis.c: see redis.h. */
#include "jobs/redis.h"

#include <stdarg.h>
#include <string.h>

/* Seconds for connecting and for each answer. */
enum { CONNECT_SECONDS = 3, ANSWER_SECONDS = 5, PORT = 6379, DATABASES = 1 << 16 };

/* ==== addresses ==== */

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* RFC 3986, 2.1; false when it does not fit or is broken. */
static bool unescape(struct str s, char *out, size_t room)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        int c = (unsigned char)s.p[i];
        if (c == '%') {
            if (i + 2 >= s.n || hex(s.p[i + 1]) < 0 || hex(s.p[i + 2]) < 0)
                return false;
            c = hex(s.p[i + 1]) << 4 | hex(s.p[i + 2]);
            i += 2;
        }
        if (!c || n + 1 >= room)
            return false;
        out[n++] = (char)c;
    }
    out[n] = 0;
    return true;
}

/* Take what stands before the last `at` into head; false when there is none. */
static bool cut_last(struct str *s, char at, struct str *head)
{
    const char *found = memrchr(s->p, at, s->n);

    if (!found)
        return false;
    *head = (struct str){s->p, (size_t)(found - s->p)};
    *s = (struct str){found + 1, s->n - head->n - 1};
    return true;
}

static bool number(struct str s, int64_t most, int *out)
{
    int64_t value;

    if (!str_to_i64(s, &value) || value < 0 || value > most)
        return false;
    *out = (int)value;
    return true;
}

static int parse_query(struct str query, struct redis_address *to, struct err *e)
{
    struct str part;

    while (str_cut(&query, '&', &part)) {
        bool ok = str_skip(&part, "prefix=")
                      ? unescape(part, to->prefix, sizeof to->prefix) && to->prefix[0]
                      : str_skip(&part, "db=") && number(part, DATABASES, &to->database);
        if (!ok)
            return ERR(e, ERR_ARG, "a Redis URL takes ?prefix=NAME and ?db=NUMBER, nothing else");
    }
    if (strpbrk(to->prefix, "{} "))
        return ERR(e, ERR_ARG, "a prefix holds no braces or blanks");
    return 0;
}

static bool parse_user(struct str who, struct redis_address *to)
{
    struct str name;

    return str_cut(&who, ':', &name) && who.p && unescape(name, to->user, sizeof to->user) &&
           unescape(who, to->password, sizeof to->password);
}

static bool parse_host(struct str rest, struct redis_address *to)
{
    struct str host = rest;
    const char *close = rest.n && rest.p[0] == '[' ? memchr(rest.p, ']', rest.n) : NULL;

    if (close) { /* [IPv6]:port */
        host = (struct str){rest.p + 1, (size_t)(close - rest.p - 1)};
        rest = (struct str){close + 1, rest.n - host.n - 2};
        if (rest.n && (!str_skip(&rest, ":") || !number(rest, 65535, &to->port)))
            return false;
    } else if (cut_last(&rest, ':', &host)) {
        if (!number(rest, 65535, &to->port))
            return false;
    }
    return unescape(host.n ? host : STR("localhost"), to->host, sizeof to->host);
}

static bool parse_place(struct str rest, struct redis_address *to)
{
    struct str host;

    if (to->local)
        return rest.n && rest.p[0] == '/' && unescape(rest, to->host, sizeof to->host);
    (void)str_cut(&rest, '/', &host);
    return parse_host(host, to) && (!rest.n || number(rest, DATABASES, &to->database));
}

int redis_parse(const char *url, struct redis_address *out, struct err *e)
{
    struct redis_address to = {.port = PORT, .prefix = "main"};
    struct str query = str_from(url), rest, who;

    if (str_starts(query, "rediss:"))
        return ERR(e, ERR_UNSUPPORTED,
                   "no TLS to Redis here; put stunnel between and use redis://");
    to.local = str_skip(&query, "unix://");
    if (!to.local && !str_skip(&query, "redis://"))
        return ERR(e, ERR_ARG, "a Redis URL begins with redis:// or unix://");
    (void)str_cut(&query, '?', &rest);
    if (query.p && parse_query(query, &to, e))
        return e->code;
    if (cut_last(&rest, '@', &who) && !parse_user(who, &to))
        return ERR(e, ERR_ARG, "cannot read the user and password of the Redis URL");
    if (!parse_place(rest, &to))
        return ERR(e, ERR_ARG, "cannot read the Redis URL; write redis://host:6379/0");
    *out = to;
    return 0;
}

void redis_name(const struct redis_address *to, const char *name, char out[REDIS_NAME])
{
    snprintf(out, REDIS_NAME, "cauldron:{%s}:%s", to->prefix, name);
}

/* ==== asking ==== */

int redis_check(const redisContext *c, const redisReply *r, struct err *e)
{
    if (!r)
        return ERR(e, ERR_NETWORK, "redis: %s", c->errstr[0] ? c->errstr : "no answer");
    if (r->type != REDIS_REPLY_ERROR)
        return 0;
    /* While it loads, or serves scripts only: worth another try. */
    if (strncmp(r->str, "LOADING", 7) == 0 || strncmp(r->str, "BUSY ", 5) == 0 ||
        strncmp(r->str, "MASTERDOWN", 10) == 0 || strncmp(r->str, "READONLY", 8) == 0)
        return ERR(e, ERR_NETWORK, "redis: %s", r->str);
    return ERR(e, ERR_IO, "redis: %s", r->str);
}

int redis_ask(redisContext *c, redisReply **out, struct err *e, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    redisReply *r = redisvCommand(c, format, list);
    va_end(list);
    int rc = redis_check(c, r, e);
    if (rc)
        freeReplyObject(r);
    else
        *out = r;
    return rc;
}

static int greet(redisContext *c, const struct redis_address *to, struct err *e)
{
    redisReply *r = NULL;
    int rc = 0;

    if (to->user[0])
        rc = redis_ask(c, &r, e, "AUTH %s %s", to->user, to->password);
    else if (to->password[0])
        rc = redis_ask(c, &r, e, "AUTH %s", to->password);
    freeReplyObject(r);
    r = NULL;
    if (!rc && to->database)
        rc = redis_ask(c, &r, e, "SELECT %d", to->database);
    freeReplyObject(r);
    return rc;
}

int redis_connect(const struct redis_address *to, redisContext **out, struct err *e)
{
    struct timeval wait = {.tv_sec = CONNECT_SECONDS}, answer = {.tv_sec = ANSWER_SECONDS};
    redisContext *c = to->local ? redisConnectUnixWithTimeout(to->host, wait)
                                : redisConnectWithTimeout(to->host, to->port, wait);
    int rc = 0;

    if (!c)
        return ERR(e, ERR_NOMEM, "no memory for a connection to Redis");
    if (c->err)
        rc = ERR(e, ERR_NETWORK, "cannot reach Redis at %s: %s", to->host, c->errstr);
    else if (redisSetTimeout(c, answer) != REDIS_OK)
        rc = ERR(e, ERR_NETWORK, "cannot set the timeout of Redis: %s", c->errstr);
    if (!rc && !to->local)
        (void)redisEnableKeepAlive(c); /* a hint */
    if (!rc)
        rc = greet(c, to, e);
    if (rc)
        redisFree(c);
    else
        *out = c;
    return rc;
}

/* ==== pool ==== */

void redis_pool_init(struct redis_pool *p, const struct redis_address *to)
{
    p->to = *to;
    p->count = 0;
    pthread_mutex_init(&p->lock, NULL);
}

static void close_idle(struct redis_pool *p)
{
    pthread_mutex_lock(&p->lock);
    while (p->count)
        redisFree(p->idle[--p->count]);
    pthread_mutex_unlock(&p->lock);
}

void redis_pool_release(struct redis_pool *p)
{
    close_idle(p);
    pthread_mutex_destroy(&p->lock);
}

int redis_borrow(struct redis_pool *p, redisContext **out, struct err *e)
{
    redisContext *c = NULL;

    pthread_mutex_lock(&p->lock);
    if (p->count)
        c = p->idle[--p->count];
    pthread_mutex_unlock(&p->lock);
    if (!c)
        return redis_connect(&p->to, out, e);
    *out = c;
    return 0;
}

void redis_return(struct redis_pool *p, redisContext *c)
{
    if (c->err) {
        redisFree(c);
        close_idle(p);
        return;
    }
    pthread_mutex_lock(&p->lock);
    bool room = p->count < sizeof p->idle / sizeof *p->idle;
    if (room)
        p->idle[p->count++] = c;
    pthread_mutex_unlock(&p->lock);
    if (!room)
        redisFree(c);
}
