#include "cli/notify.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "ops/vapid.h"
#include "storage/events.h"
#include "storage/push_subscriptions.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    TTL_SECONDS = 86400, /* also how long a message is tried */
    LEASE_MS = 120000,   /* longer than a message may take (ops/push.c) */
    AT_ONCE = 16,
    RUNS_AT_ONCE = 16,
    TITLE_MOST = 120,
};
static const double PERIOD = 2, FIRST_RETRY = 5, LAST_RETRY = 3600;
static const char KEY_NAME[] = "push.vapid_key";

/* A message on its way; in the list of results when push has done with it. */
struct sent {
    struct sent *next;
    struct notifier *notifier;
    char id[UUID_TEXT], subscription_id[UUID_TEXT];
    int attempts;
    int64_t created_at;
    enum push_fate fate;
    int retry_after;
    bool stopped;
    char detail[256];
};

struct notifier {
    struct db *db;
    struct bus *bus;
    struct push *push;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stop, woken;
    int on_the_way;
    struct sent *results;
};

/* ============================== What is said ============================== */

static const char *sentence(const struct ended_run *x, struct arena *a)
{
    const struct run *r = &x->run;
    int64_t wanted = r->total - r->impossible;

    if (r->status == EXPERIMENT_CANCELLED)
        return arena_printf(a, "Stopped, its time is used up: %lld of %lld pictures.",
                            (long long)r->completed, (long long)wanted);
    if (r->status == EXPERIMENT_FAILED)
        return arena_printf(a, "Failed: none of %lld pictures could be drawn.", (long long)wanted);
    if (r->failed || r->cancelled)
        return arena_printf(a, "Finished: %lld of %lld pictures, %lld failed.",
                            (long long)r->completed, (long long)wanted, (long long)r->failed);
    return arena_printf(a, "Finished: %lld pictures.", (long long)r->completed);
}

/* At most TITLE_MOST bytes, whole characters. */
static const char *cut(const char *text, struct arena *a)
{
    struct str rest = str_from(text);
    size_t n = 0, step;

    while (rest.n && (step = str_character(rest)) && n + step <= TITLE_MOST) {
        n += step;
        rest.p += step;
        rest.n -= step;
    }
    return rest.n ? arena_printf(a, "%.*s…", (int)n, text) : text;
}

static const char *message_text(const struct ended_run *x, struct arena *a)
{
    const char *id = x->run.experiment_id;
    json_t *m = json_pack("{s:s, s:s, s:s, s:s, s:s}", "title", cut(x->name, a), "body",
                          sentence(x, a), "url", arena_printf(a, "/experiments/%s", id), "tag",
                          arena_printf(a, "experiment:%s", id), "experiment_id", id);
    const char *text = m ? json_compact(m, a) : NULL;

    json_decref(m);
    return text;
}

/* A UUID has 32 digits, which is what a topic may have: a later end of the same experiment replaces
 * a message that the push service still keeps. */
static const char *topic_of(const char *id, struct arena *a)
{
    char *out = arena_alloc(a, UUID_TEXT), *at = out;

    for (; *id; id++)
        if (*id != '-')
            *at++ = *id;
    *at = 0;
    return out;
}

/* ============================== Database ============================== */

static bool is_news(const struct ended_run *x, int64_t now)
{
    return (x->run.status != EXPERIMENT_CANCELLED || x->over_budget) &&
           x->run.finished_at > now - TTL_SECONDS * 1000LL;
}

static int add_messages(struct tx *tx, int64_t now, struct arena *a, struct err *e)
{
    struct ended_run *runs = NULL;
    size_t count = 0;
    int rc = runs_untold(tx, RUNS_AT_ONCE, a, &runs, &count, e);

    for (size_t i = 0; i < count && rc == 0; i++) {
        const char *text = is_news(&runs[i], now) ? message_text(&runs[i], a) : NULL;
        if (text)
            rc = push_messages_add(tx, runs[i].user_id, runs[i].run.id, text,
                                   topic_of(runs[i].run.experiment_id, a), now, e);
    }
    return rc;
}

/* 5 s, 10 s, ... an hour, each 25 % more or less, or what the push service asked for. */
static double retry_seconds(const struct sent *s)
{
    double wait = FIRST_RETRY;
    unsigned char dice;

    if (s->retry_after)
        return s->retry_after;
    for (int i = 1; i < s->attempts && wait < LAST_RETRY; i++)
        wait *= 2;
    random_bytes(&dice, 1);
    return (wait < LAST_RETRY ? wait : LAST_RETRY) * (0.75 + dice / 510.0);
}

static int write_result(struct tx *tx, const struct sent *s, int64_t now, struct err *e)
{
    int64_t due = now + (int64_t)(retry_seconds(s) * 1000);
    int rc;

    if (s->stopped)
        return push_messages_later(tx, s->id, now, true, e);
    if (s->fate == PUSH_GONE)
        return push_subscriptions_drop(tx, s->subscription_id, e);
    /* The subscription before its message, as whoever unsubscribes locks them, too. */
    rc = push_subscriptions_result(tx, s->subscription_id, s->fate == PUSH_TAKEN ? NULL : s->detail,
                                   now, e);
    if (rc)
        return rc;
    if (s->fate == PUSH_LATER && due < s->created_at + TTL_SECONDS * 1000LL)
        return push_messages_later(tx, s->id, due, false, e);
    return push_messages_delete(tx, s->id, e);
}

static struct sent *take_results(struct notifier *n)
{
    pthread_mutex_lock(&n->lock);
    struct sent *list = n->results;
    n->results = NULL;
    pthread_mutex_unlock(&n->lock);
    return list;
}

static void give_back(struct notifier *n, struct sent *list)
{
    pthread_mutex_lock(&n->lock);
    while (list) {
        struct sent *s = list;
        list = s->next;
        s->next = n->results;
        n->results = s;
    }
    pthread_mutex_unlock(&n->lock);
}

static int keep_result(struct notifier *n, const struct sent *s, struct err *e)
{
    struct tx *tx;
    int rc = tx_begin(n->db, TX_WRITE, &tx, e);

    if (rc)
        return rc;
    rc = write_result(tx, s, clock_unix_ms(), e);
    if (rc == 0)
        return tx_commit(tx, e);
    tx_rollback(tx);
    return rc;
}

/* A transaction for each, so that no two processes lock subscriptions in another order. */
static int keep_results(struct notifier *n, struct err *e)
{
    struct sent *list = take_results(n);
    int rc = 0;

    while (list && (rc = keep_result(n, list, e)) == 0) {
        struct sent *s = list;
        list = s->next;
        free(s);
    }
    give_back(n, list);
    return rc;
}

/* ============================== Sending ============================== */

static void done(void *user, const struct push_result *r)
{
    struct sent *s = user;
    struct notifier *n = s->notifier;

    s->fate = r->fate;
    s->retry_after = r->retry_after;
    s->stopped = r->stopped;
    if (r->detail)
        snprintf(s->detail, sizeof s->detail, "%s", r->detail);
    pthread_mutex_lock(&n->lock);
    s->next = n->results;
    n->results = s;
    n->on_the_way--;
    n->woken = true;
    pthread_cond_signal(&n->changed);
    pthread_mutex_unlock(&n->lock);
}

static int give_to_push(struct notifier *n, const struct push_message_row *row, struct sent *s,
                        struct err *e)
{
    struct push_message m = {.endpoint = row->to.endpoint,
                             .text = str_from(row->text),
                             .ttl = TTL_SECONDS,
                             .topic = row->topic};

    if (push_receiver_read(row->to.p256dh, row->to.auth, &m.receiver, e))
        return e->code;
    return push_send(n->push, &m, done, s, e);
}

static void send_one(struct notifier *n, const struct push_message_row *row)
{
    struct sent *s = calloc(1, sizeof *s);
    struct err e;

    if (!s)
        return; /* it will be due again */
    s->notifier = n;
    s->attempts = row->attempts;
    s->created_at = row->created_at;
    snprintf(s->id, sizeof s->id, "%s", row->id);
    snprintf(s->subscription_id, sizeof s->subscription_id, "%s", row->to.id);
    pthread_mutex_lock(&n->lock);
    n->on_the_way++;
    pthread_mutex_unlock(&n->lock);
    int rc = give_to_push(n, row, s, &e);
    if (rc) /* a full queue passes; an endpoint that is not allowed any more does not */
        done(s, &(struct push_result){.fate = rc == ERR_NETWORK || rc == ERR_NOMEM ? PUSH_LATER
                                                                                   : PUSH_REFUSED,
                                      .detail = e.message});
}

/* How many more may be on their way. */
static int room(struct notifier *n)
{
    pthread_mutex_lock(&n->lock);
    int left = AT_ONCE - n->on_the_way;
    pthread_mutex_unlock(&n->lock);
    return left > 0 ? left : 0;
}

/* New messages and those that are due, in one transaction; sent after it was committed. */
static int take_and_send(struct notifier *n, struct arena *a, bool *more, struct err *e)
{
    struct push_message_row *rows = NULL;
    int64_t now = clock_unix_ms();
    int limit = room(n);
    size_t count = 0;
    struct tx *tx;

    if (tx_begin(n->db, TX_WRITE, &tx, e))
        return e->code;
    int rc = push_subscriptions_expire(tx, now, e);
    if (rc == 0)
        rc = add_messages(tx, now, a, e);
    if (rc == 0 && limit)
        rc = push_messages_take(tx, now, now + LEASE_MS, limit, a, &rows, &count, e);
    if (rc) {
        tx_rollback(tx);
        return rc;
    }
    if (tx_commit(tx, e))
        return e->code;
    for (size_t i = 0; i < count; i++)
        send_one(n, &rows[i]);
    *more = limit && count == (size_t)limit;
    return 0;
}

static int look(struct notifier *n, bool *work, struct err *e)
{
    struct tx *tx;

    if (tx_begin(n->db, TX_READ, &tx, e))
        return e->code;
    int rc = push_work(tx, clock_unix_ms(), work, e);
    tx_rollback(tx);
    return rc;
}

static int turn(struct notifier *n, struct err *e)
{
    bool work = false, more = true;
    int rc = keep_results(n, e);

    if (rc == 0)
        rc = look(n, &work, e);
    while (rc == 0 && work && more) {
        struct arena a = {0};
        more = false;
        rc = take_and_send(n, &a, &more, e);
        arena_release(&a);
    }
    return rc;
}

/* ============================== The thread ============================== */

static bool wait_turn(struct notifier *n)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (time_t)PERIOD;
    pthread_mutex_lock(&n->lock);
    while (!n->stop && !n->woken && pthread_cond_timedwait(&n->changed, &n->lock, &until) == 0)
        ;
    bool go_on = !n->stop;
    n->woken = false;
    pthread_mutex_unlock(&n->lock);
    return go_on;
}

static void *run(void *user)
{
    struct notifier *n = user;
    bool complained = false;
    struct err e;

    while (wait_turn(n)) {
        int rc = turn(n, &e);
        if (rc && !complained)
            LOG(LOG_WARNING, "ends of experiments cannot be told", LOG_ERR(&e));
        complained = rc != 0;
    }
    return NULL;
}

/* The last event of a run says how it ended: no need to wait for the next look. */
static void listen(void *user, const struct bus_event *event)
{
    struct notifier *n = user;

    if (!str_starts(str_from(event->name), "experiment:") ||
        !str_ends(str_from(event->name), ":progress") ||
        strstr(event->data, "\"status\":\"running\""))
        return;
    pthread_mutex_lock(&n->lock);
    n->woken = true;
    pthread_cond_signal(&n->changed);
    pthread_mutex_unlock(&n->lock);
}

/* ============================== Start and stop ============================== */

static int stored_key(struct db *db, struct arena *a, const char **out, struct err *e)
{
    char fresh[VAPID_PRIVATE];
    struct tx *tx;

    if (vapid_make(fresh, e) || tx_begin(db, TX_WRITE, &tx, e))
        return e->code;
    int rc = settings_add(tx, KEY_NAME, fresh, e);
    if (rc == 0)
        rc = settings_get(tx, KEY_NAME, a, out, e);
    if (rc == 0)
        return tx_commit(tx, e);
    tx_rollback(tx);
    return rc;
}

int notifier_start(const struct notifier_options *o, struct notifier **out, struct err *e)
{
    struct push_options push = {.key = o->key,
                                .contact = o->contact,
                                .allow_private = o->allow_private,
                                .egress = o->egress};
    struct notifier *n = calloc(1, sizeof *n);
    struct arena a = {0};
    int rc = n ? 0 : ERR(e, ERR_NOMEM, "no memory for notifications");

    if (rc == 0 && !push.key)
        rc = stored_key(o->db, &a, &push.key, e);
    if (rc == 0)
        rc = push_open(&push, &n->push, e);
    arena_release(&a);
    if (rc) {
        free(n);
        return rc;
    }
    n->db = o->db;
    n->bus = o->bus;
    n->woken = true;
    pthread_mutex_init(&n->lock, NULL);
    pthread_cond_init(&n->changed, NULL);
    if (pthread_create(&n->thread, NULL, run, n)) {
        push_close(n->push);
        free(n);
        return ERR(e, ERR_NOMEM, "cannot start the thread for notifications");
    }
    if (n->bus)
        bus_listen(n->bus, listen, n);
    *out = n;
    return 0;
}

void notifier_stop(struct notifier *n)
{
    struct err e;

    if (!n)
        return;
    if (n->bus)
        bus_forget(n->bus, n);
    pthread_mutex_lock(&n->lock);
    n->stop = true;
    pthread_cond_signal(&n->changed);
    pthread_mutex_unlock(&n->lock);
    pthread_join(n->thread, NULL);
    push_close(n->push);
    /* What was broken off is due at once for others; should that fail, after its lease. */
    if (keep_results(n, &e))
        LOG(LOG_WARNING, "results of push messages are lost", LOG_ERR(&e));
    for (struct sent *s = take_results(n); s;) {
        struct sent *next = s->next;
        free(s);
        s = next;
    }
    pthread_cond_destroy(&n->changed);
    pthread_mutex_destroy(&n->lock);
    free(n);
}

struct push *notifier_push(struct notifier *n)
{
    return n->push;
}
