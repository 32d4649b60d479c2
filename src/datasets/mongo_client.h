/*
 * mongo_client.h: a connection to MongoDB: from a document to a collection, and from libmongoc's
 * errors to ours.
 *
 *   struct mongo *m;
 *   if (mongo_open(document, access, &m, &e)) ...          nothing is asked of the server yet
 *   mongoc_collection_t *c = mongoc_client_get_collection(m->client, database, collection);
 *   if (!mongoc_...(c, ..., &error))
 *       return mongo_failed(m, &error, "cannot read", &e);
 *   mongo_close(m);
 *
 * Every host is looked up in the egress list before it is connected to, also those that a server
 * names itself (members of a replica set, DNS lists of mongodb+srv). Passwords stay out of
 * messages. What the URI does not say: 8 seconds to find a server, 5 to connect, 60 for an answer.
 * Threads: one at a time per connection.
 */
#ifndef DATASETS_MONGO_CLIENT_H
#define DATASETS_MONGO_CLIENT_H

#include "datasets/inside.h"

#include <mongoc/mongoc.h>

struct mongo {
    mongoc_client_t *client;
    const struct egress *egress;
    char *hosts;       /* for messages */
    char *password;    /* that must not be in them; NULL */
    struct err denied; /* the egress list said no; code 0: it did not */
    char why[256];     /* the last connection that could not be made */
};

/* `document` has a "connection" or a "uri". */
WARN_UNUSED_RESULT int mongo_open(const json_t *document, const struct dataset_access *access,
                                  struct mongo **out, struct err *e);
void mongo_close(struct mongo *m); /* NULL is fine */
/* "what: hosts: why", with the code of mongo_code. */
int mongo_failed(const struct mongo *m, const bson_error_t *error, const char *what, struct err *e);
/* What an error of libmongoc (its second error API) means to a caller. */
enum err_code mongo_code(const bson_error_t *error);

/* ==== documents ==== */

bool is_connection(const json_t *value, const struct dataset_access *access);
bool is_mongo_uri(const json_t *value, const struct dataset_access *access);
bool is_database(const json_t *value, const struct dataset_access *access);
bool is_collection(const json_t *value, const struct dataset_access *access);
/* Names joined by dots, none of them empty or beginning with '$'. */
bool is_field_path(const json_t *value, const struct dataset_access *access);
#define MONGO_MEMBERS(required)                                                                    \
    {"connection", is_connection, "the name of a connection", MEMBER_OPTIONAL},                    \
        {"uri", is_mongo_uri, "a mongodb:// URI, on the command line only", MEMBER_OPTIONAL},      \
        {"database", is_database, "the name of a database", required},                             \
    {                                                                                              \
        "collection", is_collection, "the name of a collection", MEMBER_REQUIRED                   \
    }
/* That there is one of "connection" and "uri". */
WARN_UNUSED_RESULT int mongo_connection_check(const json_t *document, struct arena *a,
                                              struct dataset_problem *problem, struct err *e);

#endif
