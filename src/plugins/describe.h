/*
 * describe.h: plug-ins that look at a picture and say what they see: a description, tags, and how
 * good it is.
 *
 *   struct describer *d;
 *   if (describer_open("openai:https://llm.example.org/v1", &options, &d, &e)) ...
 *   if (describe(d, &(struct picture_to_describe){.bytes = png, .type = "image/png"}, &arena, &out,
 *                &e)) ...
 *   describer_close(d);
 *
 * "measured:" (measured.c) says what can be computed: size, colours, brightness, sharpness; it
 * needs nothing and its answers are the same everywhere. "openai:URL" (openai.c) asks a vision
 * model behind OpenAI's chat completions interface (llama.cpp, vLLM, Ollama, OpenAI). Errors:
 * ERR_NETWORK (worth another try), ERR_DENIED, ERR_FORMAT (an answer that is none). Threads: any
 * may describe. Ownership: results live in the arena.
 */
#ifndef PLUGINS_DESCRIBE_H
#define PLUGINS_DESCRIBE_H

#include "net/http.h"

struct describer;

struct describer_options {
    struct net *net;     /* for those that ask others */
    const char *api_key; /* or NULL */
    const char *model;   /* or NULL: the first the server lists */
    double timeout;      /* seconds; 0: 120 */
};
WARN_UNUSED_RESULT int describer_open(const char *url, const struct describer_options *o,
                                      struct describer **out, struct err *e);
void describer_close(struct describer *d); /* NULL is fine */
/* Name and version, which decide results as a model's digest does. */
const char *describer_identity(const struct describer *d);

struct picture_to_describe {
    struct str bytes;
    const char *type; /* media type */
    const char *hint; /* what is known of it, the prompt for example; NULL */
};
struct description {
    const char *text;
    const char *const *tags; /* NULL-ended */
    double quality_score;    /* 0..1; NAN: it does not say */
};
WARN_UNUSED_RESULT int describe(struct describer *d, const struct picture_to_describe *p,
                                struct arena *a, struct description *out, struct err *e);

struct describer_backend {
    const char *scheme;
    int (*open)(struct describer *d, const char *place, const struct describer_options *o,
                struct err *e);
    void (*close)(struct describer *d);
    int (*describe)(struct describer *d, const struct picture_to_describe *p, struct arena *a,
                    struct description *out, struct err *e);
};

#endif
