#include "objects/folder.h"

#include "base/buf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_MOST = 1024 };

struct listing {
    const char *below, *cursor;
    size_t limit, count;
    struct arena *arena;
    struct object_entry *entries;
    bool more;
};

/* The names of one folder, those of folders with a '/' behind: sorted so, a walk visits all names
 * in the order of their bytes. */
struct names {
    struct arena arena;
    char **items;
    size_t count, room;
};

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_name(struct names *n, const char *name, bool folder)
{
    if (n->count == n->room) {
        size_t room = n->room ? n->room * 2 : 64;
        char **items = realloc(n->items, room * sizeof *items);
        if (!items)
            return -1;
        n->items = items;
        n->room = room;
    }
    n->items[n->count++] = arena_printf(&n->arena, "%s%s", name, folder ? "/" : "");
    return 0;
}

/* Takes the descriptor over. */
static int read_names(int at, struct names *n)
{
    DIR *dir = fdopendir(at);
    struct dirent *entry;
    struct stat st;
    int rc = 0;

    if (!dir) {
        close(at);
        return -1;
    }
    while (rc == 0 && (entry = readdir(dir))) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
            strncmp(name, FOLDER_HIDDEN, strlen(FOLDER_HIDDEN)) == 0 ||
            fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW))
            continue;
        if (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode))
            rc = add_name(n, name, S_ISDIR(st.st_mode));
    }
    closedir(dir);
    if (n->count)
        qsort(n->items, n->count, sizeof *n->items, compare);
    return rc;
}

/* A folder's name is a start of what is looked for, or goes on from it; and not all that is in it
 * comes before the cursor. */
static bool worth_entering(const struct listing *l, const char *name)
{
    size_t n = strlen(name), m = strlen(l->below);

    if (strncmp(name, l->below, n < m ? n : m) != 0)
        return false;
    return !l->cursor || strncmp(name, l->cursor, n) >= 0;
}

static bool wanted(const struct listing *l, const char *name)
{
    return strncmp(name, l->below, strlen(l->below)) == 0 &&
           (!l->cursor || strcmp(name, l->cursor) > 0);
}

static void add_entry(struct listing *l, int at, const char *base, const char *name)
{
    struct stat st;

    if (fstatat(at, base, &st, AT_SYMLINK_NOFOLLOW))
        return; /* gone meanwhile */
    if (l->count == l->limit) {
        l->more = true;
        return;
    }
    l->entries[l->count++] = (struct object_entry){
        .name = arena_strdup(l->arena, name),
        .size = st.st_size,
        .updated_at = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000,
    };
}

/* Everything in the folder `at`, whose name is the first `n` bytes of `name`; the depth is bounded
 * by the room for names. */
static int visit(struct listing *l, int at, char *name, size_t n)
{
    struct names names = {0};
    int copy = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = copy < 0 ? -1 : read_names(copy, &names);

    for (size_t i = 0; rc == 0 && i < names.count && !l->more; i++) {
        size_t k = strlen(names.items[i]);
        if (n + k >= NAME_MOST)
            continue; /* not a name that an object can have */
        memcpy(name + n, names.items[i], k + 1);
        if (names.items[i][k - 1] != '/') {
            if (wanted(l, name))
                add_entry(l, at, names.items[i], name);
            continue;
        }
        if (!worth_entering(l, name))
            continue;
        int below = openat(at, names.items[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (below < 0)
            continue;
        rc = visit(l, below, name, n + k);
        close(below);
    }
    free(names.items);
    arena_release(&names.arena);
    return rc;
}

int folder_list(const char *root, const char *below, size_t limit, const char *cursor,
                struct arena *a, struct object_entry **out, size_t *count, const char **next,
                struct err *e)
{
    struct listing l = {.below = below, .cursor = cursor, .limit = limit, .arena = a};
    char name[NAME_MOST + 1] = "";
    int rc = 0, at = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    l.entries = arena_try(a, limit, sizeof *l.entries);
    if (!l.entries)
        rc = ERR(e, ERR_NOMEM, "no memory for %zu names", limit);
    else if (at < 0 && errno != ENOENT)
        rc = ERR(e, ERR_IO, "cannot list '%s': %s", root, strerror(errno));
    else if (at >= 0 && visit(&l, at, name, 0))
        rc = ERR(e, ERR_IO, "cannot list '%s': %s", root, strerror(errno));
    if (at >= 0)
        close(at);
    if (rc)
        return rc;
    *out = l.entries;
    *count = l.count;
    *next = l.more ? l.entries[l.count - 1].name : NULL;
    return 0;
}
