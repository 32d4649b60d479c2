/*
 * shape.h: a problem (RFC 9457) as the clients of foreign APIs know errors.
 *
 *   json_t *body = shape_error(ERRORS_OPENAI, problem);        NULL: the problem as it is
 *
 * Private to the HTTP half of this room. Threads: pure. Ownership: a new reference; the problem is
 * borrowed.
 */
#ifndef SERVER_SHAPE_H
#define SERVER_SHAPE_H

#include "server/http.h"

/* OpenAI: {"error": {"message", "type", "param", "code"}}. FastAPI: {"detail": text}, or the list
 * of {"loc", "msg", "type"} when fields are to blame. */
json_t *shape_error(enum error_shape shape, const json_t *problem);

#endif
