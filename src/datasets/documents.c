#include "base/json.h"
#include "base/nearest.h"
#include "datasets/inside.h"

#include <string.h>

const char expected_path[] =
    "the path of a file, relative and without '..' unless it is written on "
    "the command line";

/* RFC 6901: "~" and "/" within a name. */
static const char *pointer_to(const char *name, struct arena *a)
{
    if (!name)
        return "";
    char *out = arena_alloc(a, 2 * strlen(name) + 2), *p = out;

    *p++ = '/';
    for (; *name; name++) {
        if (*name == '~' || *name == '/') {
            *p++ = '~';
            *p++ = *name == '~' ? '0' : '1';
        } else {
            *p++ = *name;
        }
    }
    return out;
}

int member_problem(const char *name, const char *expected, struct arena *a,
                   struct dataset_problem *problem, struct err *e)
{
    *problem = (struct dataset_problem){pointer_to(name, a), expected};
    return ERR(e, ERR_ARG, "%s: expected %s", name ? problem->pointer : "the document", expected);
}

static const struct member *member_named(const struct member *members, const char *name)
{
    while (members->name && strcmp(members->name, name) != 0)
        members++;
    return members->name ? members : NULL;
}

static const char *name_at(const void *list, size_t i)
{
    return ((const struct member *)list)[i].name;
}

static int unknown_member(const char *name, const struct member *members, struct arena *a,
                          struct dataset_problem *problem, struct err *e)
{
    const char *names = "type";
    size_t count = 0;

    for (; members[count].name; count++)
        names = arena_printf(a, "%s, %s", names, members[count].name);
    const char *near = nearest_named(name, members, count, name_at);
    return member_problem(name,
                          near ? arena_printf(a, "no such member; did you mean '%s'?", near)
                               : arena_printf(a, "one of the members %s", names),
                          a, problem, e);
}

int members_check(const json_t *document, const struct member *members,
                  const struct dataset_access *access, struct arena *a,
                  struct dataset_problem *problem, struct err *e)
{
    const char *name;
    json_t *value;

    if (!json_is_object(document))
        return member_problem(NULL, "an object", a, problem, e);
    json_object_foreach((json_t *)(uintptr_t)document, name, value)
    {
        const struct member *m = member_named(members, name);
        if (!m && strcmp(name, "type") == 0)
            continue;
        if (!m)
            return unknown_member(name, members, a, problem, e);
        if (!m->fits(value, access))
            return member_problem(name, m->expected, a, problem, e);
    }
    for (; members->name; members++)
        if (members->required && !json_object_get(document, members->name))
            return member_problem(members->name, members->expected, a, problem, e);
    return 0;
}

bool is_text(const json_t *value, const struct dataset_access *access)
{
    const char *text = json_string_value(value);
    size_t n = json_string_length(value);

    (void)access;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    return n >= 1 && n <= 512;
}

bool is_object(const json_t *value, const struct dataset_access *access)
{
    (void)access;
    return json_is_object(value);
}

/* No part of it is "..": a path that stays below where it starts, links aside. */
static bool stays_below(const char *path)
{
    struct str rest = str_from(path), part;

    while (str_cut(&rest, '/', &part))
        if (str_is(part, ".."))
            return false;
    return path[0] != '/';
}

bool is_path(const json_t *value, const struct dataset_access *access)
{
    const char *path = json_string_value(value);
    size_t n = json_string_length(value);

    if (!path || n == 0 || n >= 4096 || strlen(path) != n || path[n - 1] == '/')
        return false;
    return !access || !access->inside || stays_below(path);
}
