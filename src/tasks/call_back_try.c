/* One try to tell a receiver one event. */
#include "base/clock.h"
#include "jobs/transact.h"
#include "tasks/call_back_inside.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ANSWER_MOST = 64 << 10, HEADERS = 8, GONE = 410 };

/* ============================== Retry-After ============================== */

static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* "Sun, 06 Nov 1994 08:49:37 GMT": the form that RFC 9110, section 5.6.7, has servers send. */
static int64_t date_of(struct str s)
{
    char text[21];
    int64_t when;
    int month = 0;

    if (s.n != 29 || s.p[3] != ',' || !str_ends(s, " GMT") || s.p[7] != ' ' || s.p[11] != ' ' ||
        s.p[16] != ' ')
        return -1;
    while (month < 12 && memcmp(months[month], s.p + 8, 3) != 0)
        month++;
    snprintf(text, sizeof text,
             "%.4s-%02d-%.2s"
             "T%.8sZ",
             s.p + 12, month + 1, s.p + 5, s.p + 17);
    return month < 12 && clock_parse(str_from(text), &when) ? when : -1;
}

int64_t retry_after(const char *value, int64_t now)
{
    struct str s = str_from(value);
    int64_t seconds;

    if (str_to_i64(s, &seconds))
        return seconds < 0 ? -1 : seconds > INT64_MAX / 1000 ? INT64_MAX : seconds * 1000;
    int64_t when = date_of(s);
    return when < 0 ? -1 : when > now ? when - now : 0;
}

/* ============================== What becomes of it ============================== */

/* Again after a pause, at the latest when it is given up, for one last time; then it is dead. */
static void refuse(struct verdict *v, const struct task_document *d, const struct callback *event,
                   const struct pace *pace, int64_t asked)
{
    int64_t now = clock_unix_ms();
    int64_t end = event->since + (int64_t)(d->callbacks.give_up * 1000);
    double pause = backoff(event->attempts, pace->first, pace->last);

    if (asked >= 0)
        pause = fmin(fmax((double)asked / 1000, pace->first), pace->last);
    v->fate = now >= end ? CALL_DEAD : CALL_LATER;
    v->due_at = now + (int64_t)(pause * 1000);
    if (v->due_at > end)
        v->due_at = end;
}

struct verdict call_back_not_tried(const struct task_document *d, const struct callback *event,
                                   const struct pace *pace, const char *why)
{
    struct verdict v = {0};

    snprintf(v.error, sizeof v.error, "%s", why);
    refuse(&v, d, event, pace, -1);
    return v;
}

static struct verdict judge(const struct task_document *d, const struct callback *event,
                            const struct pace *pace, const struct net_answer *answer,
                            struct arena *a)
{
    struct verdict v = {.status = answer->status};
    const char *asked = net_header(answer, "retry-after", a);

    if (v.status >= 200 && v.status < 300)
        return v;
    snprintf(v.error, sizeof v.error, "HTTP %d%s", v.status,
             v.status >= 300 && v.status < 400 ? ": redirects are not followed" : "");
    refuse(&v, d, event, pace, asked ? retry_after(asked, clock_unix_ms()) : -1);
    if (v.status == GONE)
        v.fate = CALL_DEAD;
    return v;
}

/* ============================== The request ============================== */

/* The document's headers behind ours, whose names they cannot have (document.h). */
static const char *const *headers_of(const struct task_callbacks *c, const struct callback *event,
                                     int64_t timestamp, const char *signature, struct arena *a)
{
    size_t more = 0, n = 0;

    while (c->headers && c->headers[more])
        more++;
    const char **list = arena_alloc(a, (more + HEADERS) * sizeof *list);
    list[n++] = "Content-Type: application/json";
    list[n++] = arena_printf(a, "Webhook-Id: %s", event->id);
    list[n++] = arena_printf(a, "Webhook-Timestamp: %lld", (long long)timestamp);
    if (signature)
        list[n++] = arena_printf(a, "Webhook-Signature: %s", signature);
    list[n++] = arena_printf(a, "Cauldron-Event: %s", event->kind);
    list[n++] = arena_printf(a, "Cauldron-Attempt: %d", event->attempts);
    for (size_t i = 0; i < more; i++)
        list[n++] = c->headers[i];
    return list;
}

struct verdict call_back_try(const struct tasks *t, const struct task_document *d,
                             const struct callback *event, const struct pace *pace,
                             const atomic_bool *stop, struct arena *a)
{
    const struct task_callbacks *c = &d->callbacks;
    int64_t timestamp = clock_unix_ms() / 1000;
    struct str body = str_from(event->body);
    char signature[CALL_BACK_SIGNATURE];
    struct net_answer answer = {0};
    const char *secret;
    struct err e;

    if (!c->url) {
        struct verdict v = {.fate = CALL_DEAD};
        snprintf(v.error, sizeof v.error, "the task's document names no receiver any more");
        return v;
    }
    int rc = call_back_secret(t, c, &secret, &e);
    if (rc == 0 && secret)
        rc = call_back_sign(secret, event->id, timestamp, body, signature, &e);
    if (rc)
        return call_back_not_tried(d, event, pace, e.message);
    struct net_request request = {
        .method = "POST",
        .url = c->url,
        .headers = headers_of(c, event, timestamp, secret ? signature : NULL, a),
        .body = body,
        .connect_timeout = c->timeout,
        .timeout = c->timeout,
        .max_answer = ANSWER_MOST,
        .refuse_private = !call_back_may_be_private(t, c),
        .stop = stop,
    };
    rc = net_ask(t->net, &request, a, &answer, &e);
    if (rc == 0 || (rc == ERR_FORMAT && answer.status)) /* of a long answer the first line counts */
        return judge(d, event, pace, &answer, a);
    struct verdict v = call_back_not_tried(d, event, pace, e.message);
    if (rc == ERR_CANCELLED) {
        v.fate = CALL_LATER;
        v.due_at = clock_unix_ms();
    }
    return v;
}
