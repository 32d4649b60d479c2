#include "datasets/model_configs.h"

#include "base/json.h"
#include "base/nearest.h"
#include "datasets/inside.h"
#include "datasets/mongo_client.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 200, NAMES_MOST = 10000 };

/* ============================== Where they are ============================== */

static const struct member mongo_members[] = {MONGO_MEMBERS(MEMBER_REQUIRED), {0}};
static const struct member jsonl_members[] = {{"path", is_path, expected_path, MEMBER_REQUIRED},
                                              {0}};

int model_config_check(const json_t *from, const struct dataset_access *access, struct arena *a,
                       struct dataset_problem *problem, struct err *e)
{
    const char *type = json_text(from, "type", "");
    int rc;

    if (!json_is_object(from))
        return member_problem(NULL, "an object", a, problem, e);
    if (strcmp(type, "jsonl") == 0)
        return members_check(from, jsonl_members, access, a, problem, e);
    if (strcmp(type, "mongodb") != 0)
        return member_problem("type", "one of mongodb, jsonl", a, problem, e);
    rc = members_check(from, mongo_members, access, a, problem, e);
    return rc ? rc : mongo_connection_check(from, a, problem, e);
}

/* ============================== What one is ============================== */

/* Programs of other languages write 3 as 3.0; 0: none. */
static int64_t version_of(const json_t *value)
{
    double real = json_real_value(value);

    if (json_is_integer(value))
        return json_integer_value(value);
    return json_is_real(value) && real >= 1 && real < 9e15 && real == floor(real) ? (int64_t)real
                                                                                  : 0;
}

static bool is_version(const json_t *value, const struct dataset_access *access)
{
    (void)access;
    return version_of(value) >= 1;
}

static bool is_digest(const json_t *value, const struct dataset_access *access)
{
    struct str text = str_from(json_string_value(value));

    (void)access;
    str_skip(&text, "sha256:");
    return text.n >= 8 && text.n <= 64 && strspn(text.p, "0123456789abcdefABCDEF") == text.n;
}

static bool is_anything(const json_t *value, const struct dataset_access *access)
{
    (void)access;
    return value;
}

static bool is_notes(const json_t *value, const struct dataset_access *access)
{
    (void)access;
    return json_is_string(value);
}

static const struct member config_members[] = {
    {"name", is_text, "a name", MEMBER_REQUIRED},
    {"version", is_version, "a whole number from 1 on", MEMBER_REQUIRED},
    {"model", is_text, "the name of a model", MEMBER_REQUIRED},
    {"digest", is_digest, "8 to 64 hex digits of a model's digest, or these behind 'sha256:'",
     MEMBER_OPTIONAL},
    {"parameters", is_object, "an object of parameters", MEMBER_OPTIONAL},
    {"notes", is_notes, "a text", MEMBER_OPTIONAL},
    {"_id", is_anything, "", MEMBER_OPTIONAL},
    {"created_at", is_anything, "", MEMBER_OPTIONAL},
    {0},
};

int model_config_valid(const json_t *config, struct arena *a, struct dataset_problem *problem,
                       struct err *e)
{
    if (json_object_get(config, "type"))
        return member_problem("type", "no such member", a, problem, e);
    return members_check(config, config_members, NULL, a, problem, e);
}

/* ============================== Finding one ============================== */

struct search {
    const char *name;
    int64_t version; /* 0: the newest */
    json_t *found;
    int64_t found_version;
    bool twice;
};

static int look_at(struct search *s, const struct record *r, struct err *e)
{
    const char *name = json_text(r->fields, "name", "");
    int64_t version = version_of(json_object_get(r->fields, "version"));
    struct arena a = {0};
    struct dataset_problem problem;
    int rc = 0;

    if (strcmp(name, s->name) != 0 || (s->version && version != s->version) ||
        (s->found && version && version < s->found_version))
        return 0;
    if (s->found && version == s->found_version) {
        s->twice = true;
        return 0;
    }
    if ((rc = model_config_valid(r->fields, &a, &problem, e)))
        rc = err_prefix(e, "model configuration '%s', record %s", name, r->id);
    arena_release(&a);
    if (rc)
        return rc;
    json_decref(s->found);
    s->found = json_incref(r->fields);
    s->found_version = version;
    s->twice = false;
    return 0;
}

/* Call `look` for every record that can be read, until it fails. */
static int each_record(const json_t *source, const struct dataset_access *access,
                       int (*look)(void *user, const struct record *r, struct err *e), void *user,
                       struct err *e)
{
    struct dataset *d;
    int rc = dataset_open(source, access, &d, e);
    size_t count = 1;

    if (rc)
        return rc;
    while (rc == 0 && count) {
        struct arena a = {0};
        struct record *records = NULL;
        count = 0;
        rc = dataset_next(d, PAGE, &a, &records, &count, e);
        for (size_t i = 0; i < count && rc == 0; i++)
            if (!records[i].problem)
                rc = look(user, &records[i], e);
        records_release(records, count);
        arena_release(&a);
    }
    dataset_close(d);
    return rc;
}

static int look_for_config(void *user, const struct record *r, struct err *e)
{
    return look_at(user, r, e);
}

struct names {
    struct arena a;
    const char *p[NAMES_MOST];
    size_t count;
};

static int collect_name(void *user, const struct record *r, struct err *e)
{
    struct names *names = user;
    const char *name = json_text(r->fields, "name", NULL);

    (void)e;
    if (name && names->count < NAMES_MOST)
        names->p[names->count++] = arena_strdup(&names->a, name);
    return 0;
}

/* The same place, read for all names. */
static json_t *source_of(const json_t *from, const char *name)
{
    json_t *source = json_copy((json_t *)(uintptr_t)from);

    if (strcmp(json_text(from, "type", ""), "mongodb") != 0)
        return source;
    if (name)
        json_object_set_new(source, "query", json_pack("{s:s}", "name", name));
    else
        json_object_set_new(source, "projection", json_pack("{s:i}", "name", 1));
    return source;
}

static int not_found(const json_t *from, const struct search *s,
                     const struct dataset_access *access, struct err *e)
{
    struct names *names = calloc(1, sizeof *names);
    json_t *source = source_of(from, NULL);
    struct err ignored;
    const char *near = NULL;
    char version[40] = "";

    if (names && each_record(source, access, collect_name, names, &ignored) == 0)
        near = nearest_name(s->name, names->p, names->count);
    if (s->version)
        snprintf(version, sizeof version, " version %lld", (long long)s->version);
    if (near && strcmp(near, s->name) == 0)
        ERR(e, ERR_NOT_FOUND, "the model configuration '%s' has no%s", s->name, version);
    else if (near)
        ERR(e, ERR_NOT_FOUND, "there is no model configuration '%s'%s; did you mean '%s'?", s->name,
            version, near);
    else
        ERR(e, ERR_NOT_FOUND, "there is no model configuration '%s'%s", s->name, version);
    if (names)
        arena_release(&names->a);
    free(names);
    json_decref(source);
    return e->code;
}

int model_config_find(const json_t *from, const char *name, int64_t version,
                      const struct dataset_access *access, json_t **out, struct err *e)
{
    struct arena a = {0};
    struct dataset_problem problem;
    struct search s = {.name = name, .version = version};
    json_t *source = NULL;
    int rc = model_config_check(from, access, &a, &problem, e);

    if (rc)
        goto out;
    source = source_of(from, name);
    if ((rc = each_record(source, access, look_for_config, &s, e)))
        goto out;
    if (!s.found)
        rc = not_found(from, &s, access, e);
    else if (s.twice)
        rc = ERR(e, ERR_CONFLICT, "there are two model configurations '%s' of version %lld", name,
                 (long long)s.found_version);
    if (rc)
        goto out;
    json_object_del(s.found, "_id");
    json_object_del(s.found, "created_at");
    json_object_set_new(s.found, "version", json_integer(s.found_version));
    *out = json_incref(s.found);
out:
    json_decref(s.found);
    json_decref(source);
    arena_release(&a);
    return rc;
}
