#include "engine/networks/networks.h"
#include "engine/pipeline.h"

#include <stdlib.h>
#include <string.h>

int pooled_width(const struct cauldron_model *m)
{
    const struct clip_config *c = &m->files->clip[1];

    if (m->files->architecture != ARCH_SDXL)
        return 0;
    return c->projection ? c->projection : c->width;
}

static void condition_free(struct condition *c)
{
    free(c->prompt);
    free(c->context);
    free(c->pooled);
    free(c->warning);
    free(c);
}

void conditions_free(struct cauldron_model *m)
{
    while (m->conditions) {
        struct condition *c = m->conditions;
        m->conditions = c->next;
        condition_free(c);
    }
}

/* Found ones move to the front; what is beyond CONDITIONS_KEPT goes. */
static struct condition *recall(struct cauldron_model *m, const char *prompt, int clip_skip)
{
    for (struct condition **at = &m->conditions; *at; at = &(*at)->next) {
        struct condition *c = *at;
        bool same = prompt
                        ? c->prompt && strcmp(c->prompt, prompt) == 0 && c->clip_skip == clip_skip
                        : !c->prompt;
        if (same) {
            *at = c->next;
            c->next = m->conditions;
            return m->conditions = c;
        }
    }
    return NULL;
}

/* Put c in front; beyond CONDITIONS_KEPT the oldest that no job holds go. */
static void remember(struct cauldron_model *m, struct condition *c)
{
    int kept = 0;

    c->id = ++m->last_id;
    c->next = m->conditions;
    m->conditions = c;
    for (struct condition **at = &m->conditions; *at;) {
        struct condition *old = *at;
        if (++kept > CONDITIONS_KEPT && !old->users) {
            *at = old->next;
            condition_free(old);
        } else {
            at = &old->next;
        }
    }
}

/* The row that stands for the whole text: the end token's. Old configs say eos_token_id 2 and mean
 * the largest id. */
static int pooled_row(const int *ids, int eos)
{
    int at = 0;

    for (int i = 0; i < TOKENS; i++) {
        if (eos == 2 ? ids[i] > ids[at] : ids[i] == eos)
            at = i;
        if (eos != 2 && ids[i] == eos)
            break;
    }
    return at;
}

/* Encode with one encoder: its columns of the context, and the pooled vector where it has one. */
static int encode(struct cauldron_model *m, int encoder, struct condition *c, int column,
                  struct err *e)
{
    const struct clip_config *config = &m->files->clip[encoder];
    bool xl = m->files->architecture == ARCH_SDXL;
    int layer = config->layers - c->clip_skip - (xl ? 1 : 0), ids[TOKENS], rc;
    struct arena arena = {0};
    struct tokenized tokens;
    struct pass *p;

    rc = tokenizer_encode(m->tokenizer[encoder], str_from(c->prompt), TOKENS, ids, &arena, &tokens,
                          e);
    if (rc)
        goto out;
    if (tokens.cut && !c->warning) {
        c->warning =
            strdup(arena_printf(&arena, "the prompt is longer than %d tokens; cut off: '%s'",
                                TOKENS - 2, tokens.cut_text ? tokens.cut_text : ""));
    }
    rc = pass_get(m, encoder ? NETWORK_TEXT_2 : NETWORK_TEXT_1, 1, 0, 0, layer, &p, e);
    if (rc)
        goto out;
    rc = clip_embed(&m->files->clip_weights[encoder], config, ids, pass_value(m, p, "tokens"), e);
    if (rc) {
        rc = err_prefix(e, "%s: text encoder %d", m->files->path, encoder + 1);
        goto out;
    }
    rc = pass_run(m, p, PLAN_ALL, e);
    if (rc)
        goto out;
    const float *hidden = pass_value(m, p, "hidden");
    for (int i = 0; i < TOKENS; i++)
        memcpy(c->context + (size_t)i * (size_t)c->width + column,
               hidden + (size_t)i * (size_t)config->width, sizeof *hidden * (size_t)config->width);
    if (encoder == 1)
        memcpy(c->pooled,
               pass_value(m, p, "pooled") + pooled_row(ids, config->eos) * pooled_width(m),
               sizeof *c->pooled * (size_t)pooled_width(m));
    pass_finished(m, encoder ? COMPONENT_TEXT_2 : COMPONENT_TEXT_1);
out:
    arena_release(&arena);
    return rc;
}

int condition_get(struct cauldron_model *m, const char *prompt, int clip_skip,
                  struct condition **out, struct err *e)
{
    const struct model *f = m->files;
    struct condition *c = recall(m, prompt, clip_skip);
    int rc = 0, column = 0, deepest = f->clip[0].layers;

    if (c) {
        *out = c;
        return 0;
    }
    if (f->encoders == 2 && f->clip[1].layers < deepest)
        deepest = f->clip[1].layers;
    deepest -= f->architecture == ARCH_SDXL ? 2 : 1;
    if (clip_skip < 0 || clip_skip > deepest)
        return ERR(e, ERR_ARG,
                   "clip skip %d: this model's text encoder can leave out 0 to %d layers",
                   clip_skip, deepest);
    c = calloc(1, sizeof *c);
    if (!c)
        abort();
    c->clip_skip = clip_skip;
    for (int i = 0; i < f->encoders; i++)
        c->width += f->clip[i].width;
    c->context = calloc((size_t)TOKENS * (size_t)c->width, sizeof *c->context);
    c->pooled = pooled_width(m) ? calloc((size_t)pooled_width(m), sizeof *c->pooled) : NULL;
    if (!c->context || (pooled_width(m) && !c->pooled))
        abort();
    if (prompt) {
        c->prompt = strdup(prompt);
        for (int i = 0; i < f->encoders && rc == 0; i++) {
            rc = encode(m, i, c, column, e);
            column += f->clip[i].width;
        }
    }
    if (rc) {
        condition_free(c);
        return rc;
    }
    remember(m, c);
    *out = c;
    return 0;
}
