#include "ops/push.h"

#include "base/clock.h"
#include "base/log.h"
#include "net/http.h"
#include "ops/push_target.h"
#include "ops/vapid.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { QUEUE = 256, AT_ONCE = 16, ANSWER_MOST = 64 << 10, RETRY_MOST = 86400 };
static const long CONNECT_MS = 10000, WHOLE_MS = 20000;

struct delivery {
    struct delivery *next;
    struct arena arena;
    const char *endpoint;
    struct buf body;
    struct curl_slist *headers;
    CURL *curl;
    bool allow_private, refused_address;
    size_t answered; /* bytes of the response's body */
    char error[CURL_ERROR_SIZE];
    void (*done)(void *user, const struct push_result *r);
    void *user;
};

struct push {
    struct vapid *vapid;
    bool allow_private;
    const struct egress *egress;
    CURLM *multi;
    pthread_t thread;
    pthread_mutex_t lock;
    struct delivery *waiting, **last; /* a line */
    size_t waiting_count;
    struct delivery *active; /* the thread's own */
    size_t active_count;
    bool stop;
    struct push_stats stats;
};

static void delivery_free(struct delivery *d)
{
    if (!d)
        return;
    curl_easy_cleanup(d->curl);
    curl_slist_free_all(d->headers);
    buf_release(&d->body);
    arena_release(&d->arena);
    free(d);
}

/* ============================== Results ============================== */

static enum push_fate fate_of(int status)
{
    if (status / 100 == 2)
        return PUSH_TAKEN;
    if (status == 404 || status == 410)
        return PUSH_GONE;
    if (status == 0 || status == 429 || status / 100 == 5)
        return PUSH_LATER;
    return PUSH_REFUSED;
}

static const char *detail_of(const struct delivery *d, int status, CURLcode code, char *room,
                             size_t n)
{
    if (d->refused_address)
        return "the push service has an address of a private network";
    if (status == 0)
        snprintf(room, n, "the push service cannot be reached: %s",
                 d->error[0] ? d->error : curl_easy_strerror(code));
    else
        snprintf(room, n, "the push service answered %d", status);
    err_clean(room);
    return room;
}

static void finish(struct push *p, struct delivery *d, CURLcode code, bool stopped)
{
    char room[CURL_ERROR_SIZE + 64];
    long status = 0;
    curl_off_t after = 0;

    if (!stopped) {
        /* An answer that was too long or broke off after its status is an answer. */
        curl_easy_getinfo(d->curl, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(d->curl, CURLINFO_RETRY_AFTER, &after);
    }
    struct push_result r = {
        .fate = fate_of((int)status),
        .status = (int)status,
        .retry_after = (int)(after < 0            ? 0
                             : after > RETRY_MOST ? RETRY_MOST
                                                  : after),
        .stopped = stopped,
    };
    if (r.fate != PUSH_TAKEN)
        r.detail = stopped ? "the server is ending"
                           : detail_of(d, r.status, code, room, sizeof room);
    pthread_mutex_lock(&p->lock);
    *(r.fate == PUSH_TAKEN ? &p->stats.taken : &p->stats.failed) += 1;
    pthread_mutex_unlock(&p->lock);
    if (r.detail && !stopped)
        LOG(LOG_INFO, "push message not taken", LOG_NUMBER("status", status),
            LOG_TEXT("reason", r.detail));
    d->done(d->user, &r);
    delivery_free(d);
}

/* ============================== The thread ============================== */

static size_t swallow(char *bytes, size_t size, size_t count, void *user)
{
    struct delivery *d = user;

    (void)bytes;
    d->answered += size * count;
    return d->answered > ANSWER_MOST ? 0 : size * count;
}

static curl_socket_t open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *at)
{
    struct delivery *d = user;

    (void)purpose;
    if (!d->allow_private && !address_is_public(&at->addr)) {
        d->refused_address = true;
        return CURL_SOCKET_BAD;
    }
    d->refused_address = false;
    return socket(at->family, at->socktype | SOCK_CLOEXEC, at->protocol);
}

static int prepare(struct delivery *d, struct err *e)
{
    CURL *c = d->curl = curl_easy_init();

    if (!c)
        return ERR(e, ERR_NOMEM, "no memory for a push message");
    curl_easy_setopt(c, CURLOPT_URL, d->endpoint);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, d->headers);
    curl_easy_setopt(c, CURLOPT_POST, 1L);
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)d->body.n);
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, d->body.p);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "cauldron");
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, WHOLE_MS);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, d->error);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, swallow);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, d);
    curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, d);
    /* A connection of another delivery was checked when that one was allowed; and a proxy would
     * resolve names itself, past all checks. */
    if (!d->allow_private)
        curl_easy_setopt(c, CURLOPT_PROXY, "");
    curl_easy_setopt(c, CURLOPT_PRIVATE, d);
    return 0;
}

static struct delivery *take_waiting(struct push *p)
{
    pthread_mutex_lock(&p->lock);
    struct delivery *d = p->stop ? NULL : p->waiting;
    if (d) {
        p->waiting = d->next;
        p->waiting_count--;
        if (!p->waiting)
            p->last = &p->waiting;
    }
    pthread_mutex_unlock(&p->lock);
    return d;
}

static void begin_waiting(struct push *p)
{
    struct delivery *d;

    while (p->active_count < AT_ONCE && (d = take_waiting(p))) {
        d->next = p->active;
        p->active = d;
        p->active_count++;
        if (curl_multi_add_handle(p->multi, d->curl)) {
            p->active = d->next;
            p->active_count--;
            finish(p, d, CURLE_OUT_OF_MEMORY, false);
        }
    }
}

static void leave(struct push *p, struct delivery *d)
{
    struct delivery **at = &p->active;

    while (*at != d)
        at = &(*at)->next;
    *at = d->next;
    p->active_count--;
    curl_multi_remove_handle(p->multi, d->curl);
}

static void finish_done(struct push *p)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(p->multi, &left))) {
        struct delivery *d = NULL;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&d);
        leave(p, d);
        finish(p, d, code, false);
    }
}

static bool stopping(struct push *p)
{
    pthread_mutex_lock(&p->lock);
    bool stop = p->stop;
    pthread_mutex_unlock(&p->lock);
    return stop;
}

static void *run(void *user)
{
    struct push *p = user;
    int running;

    while (!stopping(p)) {
        begin_waiting(p);
        curl_multi_perform(p->multi, &running);
        finish_done(p);
        /* Whoever sends or closes wakes it; what was woken before it sleeps is not lost. */
        curl_multi_poll(p->multi, NULL, 0, 60000, NULL);
    }
    while (p->active) {
        struct delivery *d = p->active;
        leave(p, d);
        finish(p, d, CURLE_OK, true);
    }
    while (p->waiting) {
        struct delivery *d = p->waiting;
        p->waiting = d->next;
        finish(p, d, CURLE_OK, true);
    }
    return NULL;
}

/* ============================== Doors ============================== */

int push_open(const struct push_options *o, struct push **out, struct err *e)
{
    struct vapid *vapid;

    if (vapid_open(o->key, o->contact, &vapid, e))
        return e->code;
    struct push *p = calloc(1, sizeof *p);
    CURLM *multi = curl_multi_init();
    if (!p || !multi)
        goto fail;
    p->vapid = vapid;
    p->multi = multi;
    p->allow_private = o->allow_private;
    p->egress = o->egress;
    p->last = &p->waiting;
    pthread_mutex_init(&p->lock, NULL);
    if (pthread_create(&p->thread, NULL, run, p)) {
        pthread_mutex_destroy(&p->lock);
        goto fail;
    }
    *out = p;
    return 0;
fail:
    free(p);
    curl_multi_cleanup(multi);
    vapid_close(vapid);
    return ERR(e, ERR_NOMEM, "cannot start the thread for push messages");
}

void push_close(struct push *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_mutex_unlock(&p->lock);
    curl_multi_wakeup(p->multi);
    pthread_join(p->thread, NULL);
    curl_multi_cleanup(p->multi);
    pthread_mutex_destroy(&p->lock);
    vapid_close(p->vapid);
    free(p);
}

const char *push_public_key(const struct push *p)
{
    return vapid_public(p->vapid);
}

static int read_target(const struct push *p, const char *endpoint, struct arena *a,
                       struct push_target *out, struct err *e)
{
    struct push_target target;
    struct net_url url;

    if (push_target_read(endpoint, p->allow_private, a, &target, e) ||
        net_url_read(endpoint, a, &url, e) || egress_check(p->egress, url.host, url.port, e))
        return e->code;
    *out = target;
    return 0;
}

int push_check_endpoint(const struct push *p, const char *endpoint, struct err *e)
{
    struct push_target target;
    struct arena a = {0};
    int rc = read_target(p, endpoint, &a, &target, e);

    arena_release(&a);
    return rc;
}

static void add_header(struct delivery *d, const char *text)
{
    struct curl_slist *more = curl_slist_append(d->headers, text);

    if (more)
        d->headers = more;
}

static int fill(struct push *p, struct delivery *d, const struct push_message *m, struct err *e)
{
    struct push_target target;
    const char *signature;

    buf_init(&d->body, PUSH_BODY_MOST);
    d->allow_private = p->allow_private;
    d->endpoint = arena_strdup(&d->arena, m->endpoint);
    if (read_target(p, m->endpoint, &d->arena, &target, e) ||
        push_encrypt(&m->receiver, m->text, &d->body, e) ||
        vapid_header(p->vapid, target.origin, clock_unix_ms() / 1000, &d->arena, &signature, e))
        return e->code;
    add_header(d, arena_printf(&d->arena, "Authorization: %s", signature));
    add_header(d, arena_printf(&d->arena, "TTL: %d", m->ttl));
    add_header(d, "Urgency: normal");
    add_header(d, "Content-Encoding: aes128gcm");
    add_header(d, "Content-Type: application/octet-stream");
    add_header(d, "Expect:"); /* no "100-continue" for so short a body */
    if (m->topic)
        add_header(d, arena_printf(&d->arena, "Topic: %s", m->topic));
    return prepare(d, e);
}

int push_send(struct push *p, const struct push_message *m,
              void (*done)(void *user, const struct push_result *r), void *user, struct err *e)
{
    struct delivery *d = calloc(1, sizeof *d);
    int rc = d ? fill(p, d, m, e) : ERR(e, ERR_NOMEM, "no memory for a push message");

    if (rc) {
        delivery_free(d);
        return rc;
    }
    d->done = done;
    d->user = user;
    pthread_mutex_lock(&p->lock);
    bool full = p->stop || p->waiting_count == QUEUE;
    if (!full) {
        *p->last = d;
        p->last = &d->next;
        p->waiting_count++;
    }
    pthread_mutex_unlock(&p->lock);
    if (full) {
        delivery_free(d);
        return ERR(e, ERR_NETWORK, "too many push messages wait to be sent");
    }
    curl_multi_wakeup(p->multi);
    return 0;
}

void push_stats(struct push *p, struct push_stats *out)
{
    pthread_mutex_lock(&p->lock);
    *out = p->stats;
    pthread_mutex_unlock(&p->lock);
}
