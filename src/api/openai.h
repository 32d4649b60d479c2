/*
 * openai.h: what the two forms of OpenAI's answer share: one body (openai.c) or a stream of events
 * (openai_stream.c). Private to these two.
 *
 *   struct openai want;
 *   openai_read(request_json(r), &want);
 *   ... order ...
 *   return want.stream ? openai_stream(r, w, o, &want, e) : order_wait(o, ...);
 *
 * Threads: a request's. Ownership: texts belong to the request's body.
 */
#ifndef API_OPENAI_H
#define API_OPENAI_H

#include "api/order.h"
#include "api/pictures.h"

struct openai {
    int n, partial_images;
    bool urls, stream;
    const char *output_format; /* png, jpeg, webp */
    struct picture_form form;  /* of what is handed out */
};

/* {"size", "quality", "background", "output_format"} of an answer about that picture. */
json_t *openai_facts(const struct openai *want, const struct generation *g);
/* Nothing is counted in tokens here, but clients insist on the member. */
json_t *openai_usage(void);
/* Why there is no picture. */
const char *openai_failure(const struct generation *g);

int openai_stream(struct request *r, struct response *w, struct order *o, const struct openai *want,
                  struct err *e);

#endif
