/* Any text as a config.json; the first byte chooses the class. What is accepted must be usable: its
 * names map and its numbers lie in their bounds. */
#include "fuzz.h"

#include "engine/weights/configs.h"
#include "engine/weights/keymap.h"

#include <stdlib.h>

static void check(bool good)
{
    if (!good)
        abort();
}

static void unet(struct arena *a, struct str json)
{
    struct unet_config u;
    struct err e;
    struct str name;

    if (unet_config_parse(a, json, "input", &u, &e))
        return;
    check(u.levels >= 1 && u.levels <= MAX_LEVELS && u.groups >= 1 && u.context >= 1);
    for (int i = 0; i < u.levels; i++)
        check(u.channels[i] >= 1 && u.channels[i] % u.groups == 0 && u.heads[i] >= 1 &&
              u.layers[i] >= 1 && u.transformer_layers[i] >= 1 && u.transformer_layers_up[i] >= 1);
    check(keymap_name(keymap_unet(a, &u), a, STR("conv_in.weight"), &name));
}

static void vae(struct arena *a, struct str json)
{
    struct vae_config v;
    struct err e;
    struct str name;

    if (vae_config_parse(a, json, "input", &v, &e))
        return;
    check(v.levels >= 1 && v.levels <= MAX_LEVELS && v.layers >= 1 && v.groups >= 1);
    for (int i = 0; i < v.levels; i++)
        check(v.channels[i] >= 1 && v.channels[i] % v.groups == 0);
    check(keymap_name(keymap_vae(a, &v), a, STR("decoder.conv_in.weight"), &name));
}

static void clip(struct arena *a, struct str json, bool projected)
{
    struct clip_config t;
    struct err e;

    if (clip_config_parse(a, json, "input", projected, &t, &e))
        return;
    check(t.width >= 1 && t.heads >= 1 && t.width % t.heads == 0 && t.layers >= 1 &&
          t.positions >= 2 && t.vocab >= 2 && (t.projection > 0) == projected);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct arena a = {0};

    if (n == 0)
        return 0;
    struct str json = {(const char *)bytes + 1, n - 1};
    switch (bytes[0] & 3) {
    case 0:
        unet(&a, json);
        break;
    case 1:
        vae(&a, json);
        break;
    default:
        clip(&a, json, bytes[0] & 1);
    }
    arena_release(&a);
    return 0;
}
