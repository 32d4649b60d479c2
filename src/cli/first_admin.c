#include "cli/first_admin.h"

#include "api/auth.h"
#include "base/clock.h"
#include "base/log.h"
#include "storage/events.h"
#include "storage/users.h"

static int count(struct db *db, int64_t *users, struct err *e)
{
    int64_t all, admins;
    struct tx *tx;

    if (tx_begin(db, TX_READ, &tx, e))
        return e->code;
    int rc = users_count(tx, &all, &admins, e);
    tx_rollback(tx);
    if (rc == 0)
        *users = all;
    return rc;
}

static int insert(struct tx *tx, const char *name, const char *hash, struct err *e)
{
    char id[UUID_TEXT];
    int64_t users, admins, now = clock_unix_ms();

    if (users_count(tx, &users, &admins, e))
        return e->code;
    if (users)
        return ERR(e, ERR_CONFLICT, "there is a user already");
    uuid_v7(id);
    struct user user = {.id = id,
                        .name = name,
                        .password_hash = hash,
                        .role = "admin",
                        .created_at = now,
                        .updated_at = now};
    struct event_row event = {
        .kind = "user_created", .subject = id, .address = "options", .created_at = now};
    return users_insert(tx, &user, e) ? e->code : events_add(tx, &event, e);
}

static int add(struct db *db, const char *name, const char *hash, struct err *e)
{
    struct tx *tx;

    if (tx_begin(db, TX_WRITE, &tx, e))
        return e->code;
    if (insert(tx, name, hash, e)) {
        tx_rollback(tx);
        return e->code;
    }
    return tx_commit(tx, e);
}

int first_admin(struct db *db, const char *name, const char *password, struct err *e)
{
    char hash[AUTH_HASH];
    int64_t users = 0;
    struct err why;

    /* Before the password is hashed, which is slow on purpose. */
    if (count(db, &users, e))
        return e->code;
    if (users)
        return 0;
    if (auth_hash_password(password, hash, e))
        return err_prefix(e, "the first user's password");
    if (add(db, name, hash, &why) == 0) {
        LOG(LOG_INFO, "the first user was added", LOG_TEXT("name", name));
        return 0;
    }
    /* Another server that starts at this moment may have been first. */
    if (count(db, &users, e))
        return e->code;
    if (users)
        return 0;
    *e = why;
    return e->code;
}
