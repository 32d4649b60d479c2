#include "api/idempotency.h"

#include "api/access.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/sha256.h"
#include "storage/events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t DAY_MS = 24 * 3600 * 1000;
/* A claim whose server died before it said what came of it. */
static const int64_t CLAIM_MS = 60 * 1000;

/* The row of settings and the member in it that stand for a user's key. */
struct place {
    char row[32], lock[40], member[65];
};

static bool find_place(struct request *r, struct place *out)
{
    const char *key = request_header(r, "Idempotency-Key"), *user = access_user(r);

    if (!key)
        return false;
    const char *both = arena_printf(request_arena(r), "%s\n%s", user ? user : "", key);
    sha256_hex(both, strlen(both), out->member);
    char digits[5] = {0};
    memcpy(digits, out->member, 4);
    snprintf(out->row, sizeof out->row, "idempotency:%ld",
             strtol(digits, NULL, 16) % IDEMPOTENCY_ROWS);
    snprintf(out->lock, sizeof out->lock, "%s:lock", out->row);
    return true;
}

/* The row's keys without those that are too old; a new reference. */
static json_t *read_row(const char *text, int64_t now)
{
    json_t *row = NULL, *entry;
    struct err ignored;
    const char *key;
    void *next;

    if (!text || json_read(str_from(text), &row, &ignored))
        return json_object();
    json_object_foreach_safe(row, next, key, entry)
    {
        int64_t life = json_is_array(json_object_get(entry, "ids")) ? DAY_MS : CLAIM_MS;
        if (json_int(entry, "at", 0) + life < now)
            json_object_del(row, key);
    }
    return row;
}

/* Make room for one more: the oldest goes. */
static void limit_row(json_t *row)
{
    const char *key, *oldest = NULL;
    json_t *entry;
    int64_t at = INT64_MAX;

    if (json_object_size(row) < KEYS_PER_ROW)
        return;
    json_object_foreach(row, key, entry)
    {
        if (json_int(entry, "at", 0) < at) {
            at = json_int(entry, "at", 0);
            oldest = key;
        }
    }
    if (oldest)
        json_object_del(row, oldest);
}

/* Begin to change the row. Writing the lock's row first makes others wait, on PostgreSQL too, until
 * this transaction has ended. */
static int open_row(struct request *r, const struct place *p, struct tx **tx, json_t **row,
                    struct err *e)
{
    const char *text;
    int rc = tx_begin(app_of(r)->db, TX_WRITE, tx, e);

    if (rc)
        return rc;
    if ((rc = settings_set(*tx, p->lock, request_id(r), e)) ||
        (rc = settings_get(*tx, p->row, request_arena(r), &text, e))) {
        tx_rollback(*tx);
        return rc;
    }
    *row = read_row(text, clock_unix_ms());
    return 0;
}

/* Takes over the row. */
static int close_row(struct request *r, const struct place *p, struct tx *tx, json_t *row,
                     struct err *e)
{
    const char *text = json_object_size(row) ? json_compact(row, request_arena(r)) : NULL;
    int rc = settings_set(tx, p->row, text, e);

    json_decref(row);
    if (rc) {
        tx_rollback(tx);
        return rc;
    }
    return tx_commit(tx, e);
}

static const char **id_list(const json_t *ids, struct arena *a)
{
    size_t n = json_array_size(ids);
    const char **list = arena_alloc(a, (n + 1) * sizeof *list);

    for (size_t i = 0; i < n; i++)
        list[i] = arena_strdup(a, json_string_value(json_array_get(ids, i)));
    return list;
}

/* What the key's first request came to. 1: a problem was answered. */
static int replay(struct request *r, struct response *w, const json_t *entry, const char *body,
                  const char ***ids)
{
    if (strcmp(json_text(entry, "body", ""), body) != 0) {
        respond_problem(w, 422, "idempotency_key_reused",
                        "this Idempotency-Key was sent with another body; choose a new key");
        return 1;
    }
    if (!json_is_array(json_object_get(entry, "ids"))) {
        respond_problem(w, 409, "idempotency_key_busy",
                        "the first request with this Idempotency-Key is still being done");
        respond_header(w, "Retry-After", "1");
        return 1;
    }
    *ids = id_list(json_object_get(entry, "ids"), request_arena(r));
    return 0;
}

int idempotency_claim(struct request *r, struct response *w, const char ***ids, struct err *e)
{
    const char *key = request_header(r, "Idempotency-Key");
    struct str bytes = request_body(r);
    struct place p;
    char body[65];
    struct tx *tx;
    json_t *row;
    int rc;

    *ids = NULL;
    if (!key)
        return 0;
    if (!key[0] || strlen(key) > IDEMPOTENCY_MAX) {
        respond_problem(w, 422, "invalid", "an Idempotency-Key has 1 to %d characters",
                        IDEMPOTENCY_MAX);
        return 1;
    }
    find_place(r, &p);
    sha256_hex(bytes.p, bytes.n, body);
    if ((rc = open_row(r, &p, &tx, &row, e)))
        return rc;
    const json_t *entry = json_object_get(row, p.member);
    if (entry) {
        rc = replay(r, w, entry, body, ids);
        json_decref(row);
        tx_rollback(tx);
        return rc;
    }
    limit_row(row);
    json_object_set_new(row, p.member,
                        json_pack("{s:s, s:I}", "body", body, "at", (json_int_t)clock_unix_ms()));
    return close_row(r, &p, tx, row, e);
}

/* Write the ids (NULL: forget the claim). */
static void settle(struct request *r, json_t *ids)
{
    struct place p;
    struct tx *tx;
    json_t *row;
    struct err e;

    if (!find_place(r, &p)) {
        json_decref(ids);
        return;
    }
    int rc = open_row(r, &p, &tx, &row, &e);
    if (rc == 0) {
        json_t *entry = json_object_get(row, p.member);
        if (ids && entry)
            json_object_set(entry, "ids", ids);
        else
            json_object_del(row, p.member);
        rc = close_row(r, &p, tx, row, &e);
    }
    json_decref(ids);
    if (rc)
        LOG(LOG_WARNING, "an idempotency key was not settled", LOG_ERR(&e));
}

void idempotency_keep(struct request *r, const struct generation *rows, size_t count)
{
    json_t *ids = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(ids, json_string(rows[i].id));
    settle(r, ids);
}

void idempotency_drop(struct request *r)
{
    settle(r, NULL);
}
