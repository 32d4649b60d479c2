/*
 * backends.h: the rows of the table in provider.c; private to this room.
 *
 *   static const struct provider_backend *const backends[] = {&native_backend};
 *
 * Threads: constant.
 */
#ifndef PROVIDERS_BACKENDS_H
#define PROVIDERS_BACKENDS_H

#include "providers/provider.h"

extern const struct provider_backend native_backend; /* native.c: this program's engine */

#endif
