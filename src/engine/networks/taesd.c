#include "engine/networks/networks.h"

enum { WIDTH = 64 };

static struct t *block(struct g *g, struct t *x, int at)
{
    struct t *h = x;

    for (int i = 0; i < 3; i++) {
        h = g_conv(g, h, g_name(g, "%d.conv.%d", at, 2 * i), WIDTH, 3, 1, 1);
        if (i < 2)
            h = g_act(g, h, ACT_RELU);
    }
    return g_act(g, g_add(g, x, h), ACT_RELU);
}

/* The numbers are places in the original's torch.nn.Sequential: 0 clamps, 2 is a ReLU, 6, 11, 16
 * enlarge. */
void taesd_build(struct g *g, int h, int w)
{
    struct t *x =
        g_act(g, g_conv(g, g_input(g, "latents", h, w, 4, false), "1", WIDTH, 3, 1, 1), ACT_RELU);
    int at = 3;

    for (int level = 0; level < 3; level++) {
        for (int i = 0; i < 3; i++)
            x = block(g, x, at++);
        x = g_resize(g, x, 2 * x->h, 2 * x->w);
        at++;
        x = g_conv(g, x, g_name(g, "%d", at++), WIDTH, 3, 1, 1);
    }
    x = block(g, x, at++);
    g_output(g, "image", g_conv(g, x, g_name(g, "%d", at), 3, 3, 1, 1));
}
