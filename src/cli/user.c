#include "api/auth.h"
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/platform.h"
#include "storage/events.h"
#include "storage/users.h"

#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

struct want {
    struct platform_options platform;
    int role;
    const char *password;
};

static const char *const roles[] = {"viewer", "editor", "admin", NULL};

#define PASSWORD_ROW                                                                               \
    {.name = "password",                                                                           \
     .type = OPT_STRING,                                                                           \
     OPT_INTO(struct want, password),                                                              \
     .value = "TEXT",                                                                              \
     .help = "else it is asked for on the terminal, or read from the first line of stdin; a "      \
             "command line is visible to others, so prefer those"}

static const struct opt add_table[] = {
    {.name = "role",
     .letter = 'r',
     .type = OPT_CHOICE,
     OPT_INTO(struct want, role),
     .choices = roles,
     .initial = "editor",
     .help = "viewers look, editors draw, admins do everything; the first user is an admin"},
    PASSWORD_ROW,
    PLATFORM_STORE(struct want, platform),
    {0},
};
static const struct opt password_table[] = {
    PASSWORD_ROW,
    PLATFORM_STORE(struct want, platform),
    {0},
};
static const struct opt store_table[] = {
    PLATFORM_STORE(struct want, platform),
    {0},
};

/* ============================== Passwords ============================== */

/* A line from stdin, without echo on a terminal. */
static bool read_line(const char *question, char *out, size_t size)
{
    struct termios former, silent;
    bool terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &former) == 0;

    if (terminal) {
        fprintf(stderr, "%s: ", question);
        silent = former;
        silent.c_lflag &= (tcflag_t)~ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
    bool read = fgets(out, (int)size, stdin) != NULL;
    if (terminal) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &former);
        fputc('\n', stderr);
    }
    if (read)
        out[strcspn(out, "\r\n")] = 0;
    return read;
}

static int password_hash(const struct want *want, char hash[AUTH_HASH], struct err *e)
{
    char first[PASSWORD_MAX + 3], again[PASSWORD_MAX + 3];

    if (want->password)
        return auth_hash_password(want->password, hash, e);
    if (!read_line("password", first, sizeof first))
        return ERR(e, ERR_ARG, "no password was given");
    if (isatty(STDIN_FILENO) &&
        (!read_line("the same again", again, sizeof again) || strcmp(first, again) != 0))
        return ERR(e, ERR_ARG, "the two passwords differ");
    return auth_hash_password(first, hash, e);
}

/* ============================== Actions ============================== */

static int note(struct tx *tx, const char *kind, const char *subject, struct err *e)
{
    return events_add(
        tx,
        &(struct event_row){
            .kind = kind, .subject = subject, .address = "terminal", .created_at = clock_unix_ms()},
        e);
}

static int add(const struct want *want, struct tx *tx, struct arena *a, const char *name,
               struct err *e)
{
    char id[UUID_TEXT], hash[AUTH_HASH];
    int64_t users, admins, now = clock_unix_ms();

    (void)a;
    if (users_count(tx, &users, &admins, e) || password_hash(want, hash, e))
        return e->code;
    uuid_v7(id);
    struct user user = {.id = id,
                        .name = name,
                        .password_hash = hash,
                        .role = users ? roles[want->role] : "admin",
                        .created_at = now,
                        .updated_at = now};
    if (users_insert(tx, &user, e) || note(tx, "user_created", id, e))
        return e->code;
    printf("added %s, role %s\n", name, user.role);
    return 0;
}

static int set_password(const struct want *want, struct tx *tx, struct arena *a, const char *name,
                        struct err *e)
{
    char hash[AUTH_HASH];
    struct user user;

    if (users_find(tx, name, a, &user, e) || password_hash(want, hash, e))
        return e->code;
    user.password_hash = hash;
    if (users_update(tx, &user, clock_unix_ms(), e) ||
        sessions_delete_others(tx, user.id, NULL, e) || note(tx, "password_changed", user.id, e))
        return e->code;
    printf("%s has a new password; its sessions have ended\n", user.name);
    return 0;
}

static int remove_user(const struct want *want, struct tx *tx, struct arena *a, const char *name,
                       struct err *e)
{
    struct user user;

    (void)want;
    if (users_find(tx, name, a, &user, e) || users_delete(tx, user.id, e) ||
        note(tx, "user_deleted", user.id, e))
        return e->code;
    printf("removed %s\n", user.name);
    return 0;
}

static int list(const struct want *want, struct tx *tx, struct arena *a, const char *name,
                struct err *e)
{
    const char *cursor = NULL;

    (void)want, (void)name;
    do {
        struct user *rows;
        size_t count;
        if (users_list(tx, 200, cursor, a, &rows, &count, &cursor, e))
            return e->code;
        for (size_t i = 0; i < count; i++)
            printf("%-24s %-8s%s\n", rows[i].name, rows[i].role,
                   rows[i].disabled ? " (disabled)" : "");
    } while (cursor);
    return 0;
}

static const struct action {
    const char *name;
    int (*act)(const struct want *want, struct tx *tx, struct arena *a, const char *name,
               struct err *e);
    struct opt_spec spec;
} actions[] = {
    {"add",
     add,
     {.command = "user add",
      .usage = "NAME [options]",
      .summary = "Add a user.",
      .table = add_table,
      .min_rest = 1,
      .max_rest = 1,
      .rest = "a name",
      .environment = true}},
    {"password",
     set_password,
     {.command = "user password",
      .usage = "NAME [options]",
      .summary = "Give a user another password; everything signed in as that user ends.",
      .table = password_table,
      .min_rest = 1,
      .max_rest = 1,
      .rest = "a name",
      .environment = true}},
    {"remove",
     remove_user,
     {.command = "user remove",
      .usage = "NAME [options]",
      .summary = "Remove a user. What the user drew stays.",
      .table = store_table,
      .min_rest = 1,
      .max_rest = 1,
      .rest = "a name",
      .environment = true}},
    {"list",
     list,
     {.command = "user list",
      .usage = "[options]",
      .summary = "List the users.",
      .table = store_table,
      .environment = true}},
};
enum { ACTIONS = sizeof actions / sizeof *actions };

static int act(const struct action *action, const struct want *want, const char *name,
               struct err *e)
{
    struct platform p;
    struct tx *tx;

    if (platform_open(&want->platform, PLATFORM_STORAGE, &p, e))
        return e->code;
    int rc = tx_begin(p.db, TX_WRITE, &tx, e);
    if (rc == 0) {
        rc = action->act(want, tx, &p.arena, name, e);
        if (rc)
            tx_rollback(tx);
        else
            rc = tx_commit(tx, e);
    }
    platform_close(&p);
    return rc;
}

static int run(int argc, char **argv)
{
    const char *names[ACTIONS], *word = argc > 1 ? argv[1] : "";

    for (int i = 0; i < ACTIONS; i++) {
        struct want want = {0};
        struct options options;
        struct err e;
        names[i] = actions[i].name;
        if (strcmp(word, actions[i].name) != 0)
            continue;
        int status = options_parse(&actions[i].spec, argc - 1, argv + 1, &want, &options);
        if (status >= 0)
            return status;
        status = act(&actions[i], &want, options.rest_count ? options.rest[0] : NULL, &e)
                     ? fail(EXIT_FAILED, &e)
                     : EXIT_DONE;
        options_release(&options);
        return status;
    }
    bool help = strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
    if (word[0] && !help) {
        const char *near = nearest_name(word, names, ACTIONS);
        return near ? fail_with(EXIT_USAGE, "unknown action 'user %s', did you mean '%s'?", word,
                                near)
                    : fail_with(EXIT_USAGE, "unknown action 'user %s': see 'cauldron user --help'",
                                word);
    }
    fprintf(help ? stdout : stderr, "usage: cauldron user ACTION [options]\n\n");
    for (int i = 0; i < ACTIONS; i++)
        fprintf(help ? stdout : stderr, "  %-10s %s\n", actions[i].name, actions[i].spec.summary);
    return help ? EXIT_DONE : EXIT_USAGE;
}

const struct command command_user = {
    .name = "user",
    .summary = "who may use the server: add, list, password, remove",
    .run = run,
};
