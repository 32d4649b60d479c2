/* Users, sessions, keys, events and settings, on both databases. */
#include "storage_fixture.h"

#include "storage/events.h"
#include "storage/users.h"

static struct user a_user(struct fixture *f, const char *name, const char *role)
{
    return (struct user){.id = new_id(f),
                         .name = name,
                         .password_hash = "$argon2id$x",
                         .role = role,
                         .created_at = 1000,
                         .updated_at = 1000};
}

static void users_come_and_go(void **state)
{
    struct fixture *f = fixture(state);
    struct user zoe = a_user(f, "Zoë", "admin"), twin = a_user(f, "ZOE\xcc\x88", "viewer"), got;
    struct tx *tx = write_tx(f);
    int64_t all, admins;

    ok(users_insert(tx, &zoe, &f->e));
    ok(users_find(tx, "zoë", &f->a, &got, &f->e));
    assert_string_equal(got.name, "Zoë");
    assert_string_equal(got.role, "admin");
    assert_false(got.disabled);
    assert_true(got.last_login_at == 0);
    ok(users_logged_in(tx, zoe.id, 5000, &f->e));
    ok(users_get(tx, zoe.id, &f->a, &got, &f->e));
    assert_true(got.last_login_at == 5000);
    commit(f, tx);

    tx = write_tx(f);
    refuses(ERR_CONFLICT, users_insert(tx, &twin, &f->e)); /* the same name, written differently */
    tx_rollback(tx);
    tx = write_tx(f);
    refuses(ERR_NOT_FOUND, users_find(tx, "nobody", &f->a, &got, &f->e));
    refuses(ERR_NOT_FOUND, users_get(tx, "nobody", &f->a, &got, &f->e));
    refuses(ERR_NOT_FOUND, users_logged_in(tx, "nobody", 1, &f->e));
    refuses(ERR_NOT_FOUND, users_delete(tx, "nobody", &f->e));
    ok(users_count(tx, &all, &admins, &f->e));
    assert_int_equal(all, 1);
    assert_int_equal(admins, 1);
    tx_rollback(tx);
}

static void the_last_administrator_stays(void **state)
{
    struct fixture *f = fixture(state);
    struct user one = a_user(f, "one", "admin"), two = a_user(f, "two", "admin");
    struct tx *tx = write_tx(f);

    ok(users_insert(tx, &one, &f->e));
    one.role = "viewer";
    refuses(ERR_CONFLICT, users_update(tx, &one, 2000, &f->e));
    one.role = "admin";
    one.disabled = true;
    refuses(ERR_CONFLICT, users_update(tx, &one, 2000, &f->e));
    refuses(ERR_CONFLICT, users_delete(tx, one.id, &f->e));
    ok(users_insert(tx, &two, &f->e));
    ok(users_update(tx, &one, 2000, &f->e));
    refuses(ERR_CONFLICT, users_delete(tx, two.id, &f->e));
    ok(users_delete(tx, one.id, &f->e)); /* disabled: not one of the administrators */
    commit(f, tx);
}

static void users_are_listed_by_name(void **state)
{
    struct fixture *f = fixture(state);
    static const char *const names[] = {"bob", "Alice", "dora", "Carl", "eve"};
    struct tx *tx = write_tx(f);
    const char *next = NULL;
    char order[16] = "";
    size_t count, n = 0;
    struct user *page;

    for (size_t i = 0; i < 5; i++) {
        struct user u = a_user(f, names[i], "viewer");
        ok(users_insert(tx, &u, &f->e));
    }
    do {
        ok(users_list(tx, 2, next, &f->a, &page, &count, &next, &f->e));
        for (size_t i = 0; i < count; i++)
            order[n++] = page[i].name[0];
    } while (next);
    assert_string_equal(order, "AbCde");
    refuses(ERR_ARG, users_list(tx, 2, "rubbish!", &f->a, &page, &count, &next, &f->e));
    refuses(ERR_ARG, users_list(tx, 2, "bgphYg", &f->a, &page, &count, &next, &f->e));
    tx_rollback(tx);
}

static void sessions_last_until_they_end(void **state)
{
    struct fixture *f = fixture(state);
    struct user u = a_user(f, "one", "admin"), other = a_user(f, "two", "admin"), got;
    struct session_row s = {.id = new_id(f),
                            .token_hash = "aa",
                            .user_id = u.id,
                            .address = "127.0.0.1",
                            .agent = "curl",
                            .created_at = 1000,
                            .seen_at = 1000,
                            .expires_at = 2000},
                       second = s, found, *list;
    struct tx *tx = write_tx(f);
    size_t count;

    second.id = new_id(f);
    second.token_hash = "bb";
    ok(users_insert(tx, &u, &f->e));
    ok(users_insert(tx, &other, &f->e));
    ok(sessions_insert(tx, &s, &f->e));
    ok(sessions_insert(tx, &second, &f->e));
    ok(sessions_find(tx, "aa", 1999, &f->a, &found, &got, &f->e));
    assert_string_equal(found.id, s.id);
    assert_string_equal(found.agent, "curl");
    assert_string_equal(got.name, "one");
    refuses(ERR_NOT_FOUND, sessions_find(tx, "aa", 2000, &f->a, &found, &got, &f->e));
    refuses(ERR_NOT_FOUND, sessions_find(tx, "zz", 1000, &f->a, &found, &got, &f->e));
    ok(sessions_rotate(tx, s.id, "cc", 1500, 9000, &f->e));
    refuses(ERR_NOT_FOUND, sessions_find(tx, "aa", 1600, &f->a, &found, &got, &f->e));
    ok(sessions_find(tx, "cc", 8000, &f->a, &found, &got, &f->e));
    assert_true(found.seen_at == 1500);
    ok(sessions_list(tx, u.id, &f->a, &list, &count, &f->e));
    assert_int_equal(count, 2);

    refuses(ERR_NOT_FOUND, sessions_delete(tx, s.id, other.id, &f->e));
    ok(sessions_delete_others(tx, u.id, s.id, &f->e));
    ok(sessions_list(tx, u.id, &f->a, &list, &count, &f->e));
    assert_int_equal(count, 1);
    u.disabled = true;
    ok(users_update(tx, &u, 1, &f->e));
    refuses(ERR_NOT_FOUND, sessions_find(tx, "cc", 8000, &f->a, &found, &got, &f->e));
    ok(sessions_expire(tx, 9000, &f->e));
    refuses(ERR_NOT_FOUND, sessions_delete(tx, s.id, NULL, &f->e));
    commit(f, tx);
}

static void keys_open_until_revoked(void **state)
{
    struct fixture *f = fixture(state);
    struct user u = a_user(f, "one", "admin"), got;
    struct api_key k = {.id = new_id(f),
                        .user_id = u.id,
                        .name = "ci",
                        .prefix = "ck_ab",
                        .hash = "h1",
                        .scopes = "read write",
                        .created_at = 1000},
                   brief = k, found, *list;
    struct tx *tx = write_tx(f);
    size_t count;

    brief.id = new_id(f);
    brief.hash = "h2";
    brief.expires_at = 2000;
    ok(users_insert(tx, &u, &f->e));
    ok(api_keys_insert(tx, &k, &f->e));
    ok(api_keys_insert(tx, &brief, &f->e));
    ok(api_keys_find(tx, "h1", 99999, &f->a, &found, &got, &f->e));
    assert_string_equal(found.scopes, "read write");
    assert_string_equal(got.id, u.id);
    assert_true(found.expires_at == 0 && found.used_at == 0);
    ok(api_keys_find(tx, "h2", 1999, &f->a, &found, &got, &f->e));
    refuses(ERR_NOT_FOUND, api_keys_find(tx, "h2", 2000, &f->a, &found, &got, &f->e));
    ok(api_keys_used(tx, k.id, 3000, &f->e));
    refuses(ERR_NOT_FOUND, api_keys_revoke(tx, k.id, "somebody", 4000, &f->e));
    ok(api_keys_revoke(tx, k.id, u.id, 4000, &f->e));
    ok(api_keys_revoke(tx, k.id, NULL, 5000, &f->e));
    refuses(ERR_NOT_FOUND, api_keys_find(tx, "h1", 4500, &f->a, &found, &got, &f->e));
    ok(api_keys_list(tx, u.id, &f->a, &list, &count, &f->e));
    assert_int_equal(count, 2);
    assert_true(list[0].used_at == 3000 && list[0].revoked_at == 4000);
    ok(users_insert(tx, &(struct user){.id = "x", .name = "x", .role = "admin"}, &f->e));
    ok(users_delete(tx, u.id, &f->e)); /* with all that was theirs */
    ok(api_keys_list(tx, u.id, &f->a, &list, &count, &f->e));
    assert_int_equal(count, 0);
    commit(f, tx);
}

static void events_are_kept_and_forgotten(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    int64_t now = clock_unix_ms();
    struct event_row *list;
    const char *next = NULL;
    size_t count, all = 0;

    for (int i = 0; i < 5; i++)
        ok(events_add(tx,
                      &(struct event_row){.kind = i % 2 ? "login" : "login_failed",
                                          .user_id = i < 3 ? "u1" : "u2",
                                          .subject = "s",
                                          .data = "{}",
                                          .created_at = now + i},
                      &f->e));
    ok(events_list(tx, &(struct event_filter){.kind = "login"}, &f->a, &list, &count, &next,
                   &f->e));
    assert_int_equal(count, 2);
    assert_true(list[0].created_at == now + 3 && list[1].created_at == now + 1); /* newest first */
    assert_null(next);
    ok(events_list(tx, &(struct event_filter){.user_id = "u1", .subject = "s", .after = now}, &f->a,
                   &list, &count, &next, &f->e));
    assert_int_equal(count, 2);
    do {
        ok(events_list(tx, &(struct event_filter){.limit = 2, .cursor = next}, &f->a, &list, &count,
                       &next, &f->e));
        all += count;
    } while (next);
    assert_int_equal(all, 5);
    refuses(ERR_ARG, events_list(tx, &(struct event_filter){.cursor = "*"}, &f->a, &list, &count,
                                 &next, &f->e));
    ok(events_expire(tx, now - 60000, &f->e));
    assert_int_equal(number(f, tx, "SELECT count(*) FROM events"), 5);
    ok(events_expire(tx, now + 60000, &f->e));
    assert_int_equal(number(f, tx, "SELECT count(*) FROM events"), 0);
    commit(f, tx);
}

static void settings_are_set_and_unset(void **state)
{
    struct fixture *f = fixture(state);
    struct tx *tx = write_tx(f);
    const char *value = "x";

    ok(settings_get(tx, "a", &f->a, &value, &f->e));
    assert_null(value);
    ok(settings_set(tx, "a", "1", &f->e));
    ok(settings_set(tx, "a", "2", &f->e));
    ok(settings_get(tx, "a", &f->a, &value, &f->e));
    assert_string_equal(value, "2");
    ok(settings_set(tx, "a", NULL, &f->e));
    ok(settings_get(tx, "a", &f->a, &value, &f->e));
    assert_null(value);
    commit(f, tx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(users_come_and_go),          ON_BOTH(the_last_administrator_stays),
        ON_BOTH(users_are_listed_by_name),   ON_BOTH(sessions_last_until_they_end),
        ON_BOTH(keys_open_until_revoked),    ON_BOTH(events_are_kept_and_forgotten),
        ON_BOTH(settings_are_set_and_unset),
    };
    return run_on_both("storage_people", tests, sizeof tests / sizeof *tests);
}
