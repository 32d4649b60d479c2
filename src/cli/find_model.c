#include "cli/find_model.h"

#include "base/file.h"
#include "cli/hub_settings.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *data_folder(void)
{
    const char *folder = getenv("CAULDRON_DATA");
    return folder && folder[0] ? folder : "./data";
}

const char *models_folder(struct arena *a)
{
    const char *folder = getenv("CAULDRON_MODELS");
    return folder && folder[0] ? folder : arena_printf(a, "%s/models", data_folder());
}

/* The folder that the program lies in, "" when the system does not say. */
static const char *program_folder(struct arena *a)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

    if (n <= 0)
        return "";
    path[n] = 0;
    *strrchr(path, '/') = 0;
    return arena_strdup(a, path);
}

/* `beside` the program as an absolute path, NULL when there is no such folder. */
static const char *installed(struct arena *a, const char *beside)
{
    const char *folder = arena_printf(a, "%s/%s", program_folder(a), beside);
    char *whole = file_is_dir(folder) ? realpath(folder, NULL) : NULL;
    const char *found = whole ? arena_strdup(a, whole) : NULL;

    free(whole);
    return found;
}

struct model_paths model_places(struct arena *a)
{
    static const char *const beside[] = {"models", "../models", "../share/cauldron/models"};
    enum { BESIDE = sizeof beside / sizeof *beside };
    const char **folders = arena_alloc(a, (BESIDE + 1) * sizeof *folders);
    struct model_paths places = {.folders = folders, .hub = hub_cache_folder(a)};

    folders[places.count++] = models_folder(a);
    for (size_t i = 0; i < BESIDE; i++)
        if ((folders[places.count] = installed(a, beside[i])))
            places.count++;
    return places;
}

const char *app_folder(struct arena *a)
{
    const char *found = installed(a, "../share/cauldron/web");

    return found ? found : installed(a, "../frontend/dist");
}

int find_model(struct arena *a, const char *name, char **path, struct err *e)
{
    struct model_paths places = model_places(a);
    return model_find(a, name, &places, path, e);
}
