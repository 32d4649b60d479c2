#include "cli/hub_settings.h"

#include "base/str.h"
#include "cli/outside.h"

#include <stdlib.h>
#include <string.h>

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] ? value : NULL;
}

const char *hub_cache_folder(struct arena *a)
{
    const char *folder;

    if ((folder = variable("HF_HUB_CACHE")) || (folder = variable("HUGGINGFACE_HUB_CACHE")))
        return folder;
    if ((folder = variable("HF_HOME")))
        return arena_printf(a, "%s/hub", folder);
    if ((folder = variable("XDG_CACHE_HOME")))
        return arena_printf(a, "%s/huggingface/hub", folder);
    if ((folder = variable("HOME")))
        return arena_printf(a, "%s/.cache/huggingface/hub", folder);
    return NULL;
}

int hub_from_environment(struct model_hub *out, struct arena *a, struct err *e)
{
    const char *endpoint = variable("HF_ENDPOINT"), *given = variable("HF_TOKEN"), *token;
    struct model_hub hub = {.endpoint = endpoint ? endpoint : "https://huggingface.co"};
    size_t n = strlen(hub.endpoint);

    if (secret_variable("HF_TOKEN", a, &token, e))
        return e->code = ERR_ARG;
    hub.token = given ? given : token; /* all of it: more than a line is a mistake */
    while (n && hub.endpoint[n - 1] == '/')
        n--;
    hub.endpoint = arena_str(a, (struct str){hub.endpoint, n});
    if (!str_starts(str_from(hub.endpoint), "https://") &&
        !str_starts(str_from(hub.endpoint), "http://"))
        return ERR(e, ERR_ARG, "HF_ENDPOINT must begin with https:// or http://, not '%s'",
                   hub.endpoint);
    for (const char *p = hub.token; p && *p; p++)
        if (*p <= ' ' || *p >= 0x7f)
            return ERR(e, ERR_ARG, "HF_TOKEN holds a character that no token has");
    hub.cache = hub_cache_folder(a);
    if (!hub.cache)
        return ERR(e, ERR_ARG, "no home folder to keep models in; set HF_HOME");
    *out = hub;
    return 0;
}

const char *hub_offline(void)
{
    const char *offline = variable("HF_HUB_OFFLINE");

    return offline && strcmp(offline, "0") != 0 ? "HF_HUB_OFFLINE is set: nothing is downloaded"
                                                : NULL;
}
