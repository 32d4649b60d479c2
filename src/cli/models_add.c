/* `models add` puts a link (or a copy) into the models folder and writes its name into .added, one
 * a line; `models remove` takes away what is written there, and what `models pull` brought. */
#include "base/buf.h"
#include "base/file.h"
#include "cli/find_model.h"
#include "cli/hub_settings.h"
#include "cli/models.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "cli/tree.h"
#include "engine/weights/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_ADDED = 1 << 20 };

/* ============================== The list of what was added ============================== */

static const char *list_path(struct arena *a)
{
    return arena_printf(a, "%s/.added", models_folder(a));
}

static struct str read_list(struct arena *a)
{
    struct str text = STR("");
    struct err ignored;

    /* No list yet, or one that cannot be read: nothing was added as far as we know. */
    return file_read(a, list_path(a), MAX_ADDED, &text, &ignored) ? STR("") : text;
}

static bool is_listed(struct arena *a, const char *entry)
{
    struct str rest = read_list(a), line;

    while (str_cut(&rest, '\n', &line))
        if (str_is(line, entry))
            return true;
    return false;
}

/* Write the list without `entry`, and with it at the end when `add`. */
static int update_list(struct arena *a, const char *entry, bool add, struct err *e)
{
    struct str rest = read_list(a), line;
    struct buf text;
    int rc = 0;

    buf_init(&text, MAX_ADDED);
    while (rc == 0 && str_cut(&rest, '\n', &line))
        if (line.n && !str_is(line, entry))
            rc = buf_addf(&text, "%.*s\n", (int)line.n, line.p);
    if (rc == 0 && add)
        rc = buf_addf(&text, "%s\n", entry);
    if (rc)
        rc = ERR(e, ERR_NOMEM, "'%s' is full", list_path(a));
    else
        rc = file_write(list_path(a), text.n ? text.p : "", text.n, e);
    buf_release(&text);
    return rc;
}

/* ============================== add ============================== */

struct want {
    const char *name;
    bool copy;
};

static const struct opt add_table[] = {
    {.name = "name",
     .type = OPT_STRING,
     OPT_INTO(struct want, name),
     .value = "N",
     .help = "what it is called from now on; by default the name of the folder or file"},
    {.name = "copy",
     .type = OPT_FLAG,
     OPT_INTO(struct want, copy),
     .help = "copy the model instead of linking to it"},
    {0},
};
static const struct opt_spec add_spec = {
    .command = "models add",
    .usage = "[options] DIR|FILE",
    .summary = "Give a model that lies elsewhere on this machine a name: a link to it is put into "
               "$CAULDRON_MODELS (./data/models).",
    .table = add_table,
    .min_rest = 1,
    .max_rest = 1,
    .rest = "a Diffusers folder or a .safetensors file",
};

static const char suffix[] = ".safetensors";

static const char *default_name(struct arena *a, const char *path)
{
    const char *slash = strrchr(path, '/');
    struct str name = str_from(slash ? slash + 1 : path);

    if (str_ends(name, suffix))
        name.n -= strlen(suffix);
    return arena_str(a, name);
}

/* One link or copy, named relative to the models folder. */
static int put(struct arena *a, const char *from, const char *entry, bool copy, struct err *e)
{
    const char *to = arena_printf(a, "%s/%s", models_folder(a), entry);
    const char *folder = arena_str(a, (struct str){to, (size_t)(strrchr(to, '/') - to)});
    struct stat st;
    int rc;

    if (lstat(to, &st) == 0)
        return ERR(e, ERR_ARG,
                   "'%s' is there already; choose another name with --name, or remove it first",
                   to);
    if ((rc = file_make_dirs(folder, e)))
        return rc;
    if (copy)
        rc = tree_copy(from, to, e);
    else if (symlink(from, to))
        rc = ERR(e, ERR_IO, "cannot make the link '%s': %s", to, strerror(errno));
    return rc ? rc : update_list(a, entry, true, e);
}

/* The configs that may lie beside a checkpoint file, and go with it; NULL when there are none. */
static const char *configs_beside(struct arena *a, const char *file)
{
    int stem = (int)(strlen(file) - strlen(suffix));
    const char *full = arena_printf(a, "%s.config", file);
    const char *brief = arena_printf(a, "%.*s.config", stem, file);

    return file_is_dir(full) ? full : file_is_dir(brief) ? brief : NULL;
}

static int add(struct arena *a, const char *path, const struct want *w, struct err *e)
{
    struct model *m;
    char *whole = realpath(path, NULL);
    const char *from = whole ? arena_strdup(a, whole) : NULL;
    int rc;

    free(whole);
    if (!from)
        return ERR(e, ERR_NOT_FOUND, "cannot open '%s': %s", path, strerror(errno));
    const char *name = w->name ? w->name : default_name(a, from);
    bool folder = file_is_dir(from);
    if (!hub_name_ok(name))
        return ERR(e, ERR_ARG,
                   "'%s' cannot be a model's name (letters, digits, '.', '_', '-', and one '/'); "
                   "choose one with --name",
                   name);
    if ((rc = model_open(from, NULL, &m, e))) /* only what will work later */
        return rc;
    model_close(m);
    rc = put(a, from, folder ? name : arena_printf(a, "%s%s", name, suffix), w->copy, e);

    const char *configs = folder ? NULL : configs_beside(a, from);
    if (rc == 0 && configs)
        rc = put(a, configs, arena_printf(a, "%s.config", name), w->copy, e);
    if (rc == 0)
        printf("%s\n", name);
    return rc;
}

static int run_add(int argc, char **argv)
{
    struct want w = {0};
    struct options o;
    struct arena a = {0};
    struct err e;
    int status = options_parse(&add_spec, argc, argv, &w, &o);

    if (status >= 0)
        return status;
    interrupt_catch();
    int rc = add(&a, o.rest[0], &w, &e);
    status = rc == 0 ? EXIT_DONE : fail(rc == ERR_ARG ? EXIT_USAGE : EXIT_FAILED, &e);
    if (interrupted())
        status = interrupt_status();
    arena_release(&a);
    options_release(&o);
    return status;
}

/* ============================== remove ============================== */

static const struct opt remove_table[] = {{0}};
static const struct opt_spec remove_spec = {
    .command = "models remove",
    .usage = "NAME",
    .summary = "Take away a model that 'models add' or 'models pull' brought. Of an added model "
               "only the link (or the copy) goes; of a pulled one the download.",
    .table = remove_table,
    .min_rest = 1,
    .max_rest = 1,
    .rest = "a model's name",
};

/* Remove an entry of the models folder if it was added; *found says whether there is one. */
static int remove_entry(struct arena *a, const char *entry, bool *found, struct err *e)
{
    const char *path = arena_printf(a, "%s/%s", models_folder(a), entry);
    struct stat st;
    int rc;

    if (lstat(path, &st))
        return 0;
    *found = true;
    if (!is_listed(a, entry))
        return ERR(e, ERR_ARG,
                   "'%s' was not put there by 'cauldron models add'; remove it by hand if it is to "
                   "go",
                   path);
    rc = tree_remove(path, e);
    return rc ? rc : update_list(a, entry, false, e);
}

static int remove_pulled(struct arena *a, const char *name, bool *found, struct err *e)
{
    const char *cache = hub_cache_folder(a);
    const char *folder = cache ? hub_folder(cache, name, a) : "";

    if (!file_is_dir(folder))
        return 0;
    *found = true;
    if (!file_exists(arena_printf(a, "%s/" HUB_MARK, folder)))
        return ERR(e, ERR_ARG,
                   "'%s' was not made by 'cauldron models pull', other programs may use it; remove "
                   "it by hand if it is to go",
                   folder);
    return tree_remove(folder, e);
}

static int remove_model(struct arena *a, const char *name, struct err *e)
{
    bool found = false, configs = false;
    char *path;
    int rc;

    if (!hub_name_ok(name))
        return ERR(e, ERR_ARG, "'%s' is not a model's name; see 'cauldron models list'", name);
    rc = remove_entry(a, name, &found, e);
    if (rc == 0 && !found) {
        rc = remove_entry(a, arena_printf(a, "%s%s", name, suffix), &found, e);
        if (rc == 0 && found)
            rc = remove_entry(a, arena_printf(a, "%s.config", name), &configs, e);
    }
    if (rc == 0 && !found)
        rc = remove_pulled(a, name, &found, e);
    if (rc || found)
        return rc;
    if ((rc = find_model(a, name, &path, e)))
        return rc;
    return ERR(e, ERR_ARG,
               "'%s' is part of the installation (%s); remove it by hand if it is to go", name,
               path);
}

static int run_remove(int argc, char **argv)
{
    struct options o;
    struct arena a = {0};
    struct err e;
    int status = options_parse(&remove_spec, argc, argv, NULL, &o);

    if (status >= 0)
        return status;
    status = remove_model(&a, o.rest[0], &e) ? fail(EXIT_FAILED, &e) : EXIT_DONE;
    arena_release(&a);
    options_release(&o);
    return status;
}

const struct command models_add = {
    .name = "add",
    .summary = "give a model on this machine a name",
    .run = run_add,
};
const struct command models_remove = {
    .name = "remove",
    .summary = "take away what was added or pulled",
    .run = run_remove,
};
