/*
 * redis.h: connections to Redis, as the queue and the bus use them (hiredis, RESP2, no TLS).
 *
 *   struct redis_address to;
 *   if (redis_parse("redis://user:secret@host:6379/0?prefix=main", &to, &e)) ...
 *   if (redis_connect(&to, &c, &e)) ...
 *   if (redis_ask(c, &reply, &e, "XLEN %s", key)) ...
 *   freeReplyObject(reply); redisFree(c);
 *
 * `prefix` keeps programs apart that share one Redis: every name begins with "cauldron:{prefix}:",
 * whose braces put all names of one program into one slot of a cluster.
 * Threads: a connection belongs to one at a time. Errors: ERR_NETWORK when Redis is away or does
 * not answer in time: the connection is of no use then; ERR_IO with its words when it refuses.
 */
#ifndef JOBS_REDIS_H
#define JOBS_REDIS_H

#include "base/err.h"
#include "base/str.h"

#include <hiredis/hiredis.h>
#include <pthread.h>
#include <stdbool.h>

enum { REDIS_TEXT = 256, REDIS_NAME = 128 };

struct redis_address {
    char host[REDIS_TEXT]; /* or the path of a socket */
    bool local;            /* a socket */
    int port, database;
    char user[REDIS_TEXT], password[REDIS_TEXT]; /* "": none */
    char prefix[64];
};

/* "redis://[[user]:password@]host[:port][/database][?prefix=name]", or a socket as
 * "unix://[[user]:password@]/path[?db=database&prefix=name]". ERR_ARG says what is wrong without
 * the password. */
WARN_UNUSED_RESULT int redis_parse(const char *url, struct redis_address *out, struct err *e);
/* "cauldron:{prefix}:" and the name. */
void redis_name(const struct redis_address *to, const char *name, char out[REDIS_NAME]);

WARN_UNUSED_RESULT int redis_connect(const struct redis_address *to, redisContext **out,
                                     struct err *e);
/* One command in hiredis's format. The caller frees *out. */
WARN_UNUSED_RESULT int redis_ask(redisContext *c, redisReply **out, struct err *e,
                                 const char *format, ...);
/* The reply's code: 0, or an error made of it. */
WARN_UNUSED_RESULT int redis_check(const redisContext *c, const redisReply *r, struct err *e);

/* Connections that wait for their next use; any thread takes one and gives it back. */
struct redis_pool {
    struct redis_address to;
    pthread_mutex_t lock;
    redisContext *idle[16];
    size_t count;
};
void redis_pool_init(struct redis_pool *p, const struct redis_address *to);
void redis_pool_release(struct redis_pool *p);
WARN_UNUSED_RESULT int redis_borrow(struct redis_pool *p, redisContext **out, struct err *e);
/* A broken connection is closed, and with it the idle ones, which broke for the same reason. */
void redis_return(struct redis_pool *p, redisContext *c);

#endif
