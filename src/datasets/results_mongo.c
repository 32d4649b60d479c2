/*
 * Results in MongoDB: a document each, found by its key as _id, or a field of the record. A bulk of
 * independent upserts needs no transaction: each is whole or absent, and all of them may be
 * repeated.
 */
#include "base/json.h"
#include "datasets/mongo_client.h"
#include "datasets/mongo_json.h"
#include "datasets/results_inside.h"

#include <stdlib.h>
#include <string.h>

enum { TRIES = 5 };

struct mongo_results {
    struct mongo *connection;
    mongoc_collection_t *collection;
    char *database;
    char *field, *id; /* of records; NULL: a collection of results */
    bool ours;        /* the write concern is not the URI's */
    bool majority;    /* no server has refused that one yet */
};

/* ============================== Documents ============================== */

static const struct member collection_members[] = {MONGO_MEMBERS(MEMBER_OPTIONAL), {0}};
static const struct member record_members[] = {
    {"field", is_field_path, "a field's name that is not the id's", MEMBER_OPTIONAL}, {0}};

static const char *source_text(const json_t *source, const char *name, const char *fallback)
{
    bool mongo = strcmp(json_text(source, "type", ""), "mongodb") == 0;

    return mongo ? json_text(source, name, fallback) : fallback;
}

/* {"connection" | "uri", "database", "collection"}, completed from the source: a new reference. */
static json_t *completed(const json_t *document, const json_t *source)
{
    static const char *const whole[] = {"connection", "uri"};
    static const char *const each[] = {"database", "collection"};
    json_t *out = json_object();
    bool own = json_object_get(document, "connection") || json_object_get(document, "uri");

    for (size_t i = 0; i < 2; i++) {
        const char *here = json_text(document, whole[i], NULL);
        const char *value = own ? here : source_text(source, whole[i], NULL);
        if (value)
            json_object_set_new(out, whole[i], json_string(value));
    }
    for (size_t i = 0; i < 2; i++) {
        const char *value = json_text(document, each[i], source_text(source, each[i], NULL));
        if (value)
            json_object_set_new(out, each[i], json_string(value));
    }
    return out;
}

static int check_collection(const json_t *document, const json_t *source,
                            const struct dataset_access *access, struct arena *a,
                            struct dataset_problem *problem, struct err *e)
{
    int rc = members_check(document, collection_members, access, a, problem, e);

    if (rc)
        return rc;
    json_t *where = completed(document, source);
    rc = mongo_connection_check(where, a, problem, e);
    if (rc == 0 && !json_object_get(where, "database"))
        rc = member_problem("database", "the name of a database", a, problem, e);
    json_decref(where);
    return rc;
}

static int check_record(const json_t *document, const json_t *source,
                        const struct dataset_access *access, struct arena *a,
                        struct dataset_problem *problem, struct err *e)
{
    int rc = members_check(document, record_members, access, a, problem, e);
    const char *field = json_text(document, "field", ""), *id = source_text(source, "id", "_id");

    if (rc)
        return rc;
    if (strcmp(json_text(source, "type", ""), "mongodb") != 0)
        return member_problem("type", "mongodb or jsonl: only records of MongoDB can be written to",
                              a, problem, e);
    if (strcmp(field, id) == 0 || strcmp(field, "_id") == 0 || str_starts(str_from(field), "_id."))
        return member_problem("field", record_members[0].expected, a, problem, e);
    return 0;
}

/* ============================== Opening ============================== */

static void close_mongo(struct results *r)
{
    struct mongo_results *m = r->state;

    if (!m)
        return;
    if (m->collection)
        mongoc_collection_destroy(m->collection);
    mongo_close(m->connection);
    free(m->database);
    free(m->field);
    free(m->id);
    free(m);
}

/* Answered when a majority has it in its journals, unless the URI wants something else. */
static void set_concern(struct mongo_results *m)
{
    mongoc_write_concern_t *w = mongoc_write_concern_new();

    if (m->majority) {
        mongoc_write_concern_set_wmajority(w, 30000);
        mongoc_write_concern_set_journal(w, true);
    } else {
        mongoc_write_concern_set_w(w, 1);
    }
    mongoc_collection_set_write_concern(m->collection, w);
    mongoc_write_concern_destroy(w);
}

static int open_mongo(struct results *r, const json_t *document, const json_t *source,
                      const struct dataset_access *access, struct err *e)
{
    struct mongo_results *m = calloc(1, sizeof *m);
    json_t *where = completed(document, source);
    const char *database = json_text(where, "database", "");
    int rc;

    r->state = m;
    if (!m || !(m->database = strdup(database))) {
        rc = ERR(e, ERR_NOMEM, "no memory for results");
        goto out;
    }
    if ((rc = mongo_open(where, access, &m->connection, e)))
        goto out;
    const mongoc_uri_t *uri = mongoc_client_get_uri(m->connection->client);
    const mongoc_write_concern_t *asked = mongoc_uri_get_write_concern(uri);
    if (!mongoc_write_concern_is_acknowledged(asked)) {
        rc = ERR(e, ERR_ARG, "MongoDB at %s: results cannot be written with w=0",
                 m->connection->hosts);
        goto out;
    }
    m->collection = mongoc_client_get_collection(m->connection->client, database,
                                                 json_text(where, "collection", ""));
    m->ours = m->majority = mongoc_write_concern_is_default(asked);
    if (m->ours)
        set_concern(m);
out:
    json_decref(where);
    return rc;
}

static int open_record(struct results *r, const json_t *document, const json_t *source,
                       const struct dataset_access *access, struct err *e)
{
    int rc = open_mongo(r, NULL, source, access, e);
    struct mongo_results *m = r->state;

    if (rc)
        return rc;
    m->field = strdup(json_text(document, "field", "cauldron"));
    m->id = strdup(json_text(source, "id", "_id"));
    return m->field && m->id ? 0 : ERR(e, ERR_NOMEM, "no memory for results");
}

static int ping(struct results *r, struct err *e)
{
    struct mongo_results *m = r->state;
    bson_t command = BSON_INITIALIZER;
    bson_error_t error = {0};
    int rc = 0;

    BSON_APPEND_INT32(&command, "ping", 1);
    if (!mongoc_client_command_simple(m->connection->client, m->database, &command, NULL, NULL,
                                      &error))
        rc = mongo_failed(m->connection, &error, "cannot write results", e);
    bson_destroy(&command);
    return rc;
}

/* ============================== Writing ============================== */

/* {"_id": key, "record_id", "number", and the body's members}. */
static bson_t *whole_document(const struct result *row)
{
    json_t *all = json_pack("{s:s, s:s, s:I}", "_id", row->key, "record_id", row->record_id,
                            "number", (json_int_t)row->number);

    json_object_update(all, (json_t *)(uintptr_t)row->body);
    json_object_set_new(all, "_id", json_string(row->key));
    bson_t *out = bson_from_plain(all, NULL);
    json_decref(all);
    return out;
}

/* {"$set": {field: {"key": key, and the body's members}}}. */
static bson_t *field_update(const char *field, const struct result *row)
{
    bson_t *out = bson_new(), set, value;
    json_t *all = json_pack("{s:s}", "key", row->key);

    json_object_update(all, (json_t *)(uintptr_t)row->body);
    BSON_APPEND_DOCUMENT_BEGIN(out, "$set", &set);
    BSON_APPEND_DOCUMENT_BEGIN(&set, field, &value);
    bson_from_plain(all, &value);
    bson_append_document_end(&set, &value);
    bson_append_document_end(out, &set);
    json_decref(all);
    return out;
}

/* What a value other than a text may have been that reads like this (dataset.h). */
static void add_readings(bson_t *list, const char *text)
{
    bson_oid_t oid;
    int64_t integer;
    double real;
    bson_iter_t i;

    if (strlen(text) == 24 && bson_oid_is_valid(text, 24)) {
        bson_oid_init_from_string(&oid, text);
        BSON_APPEND_OID(list, "1", &oid);
    } else if (str_to_i64(str_from(text), &integer)) {
        BSON_APPEND_INT64(list, "1", integer);
    } else if (str_to_f64(str_from(text), &real)) {
        BSON_APPEND_DOUBLE(list, "1", real);
    } else if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
        BSON_APPEND_BOOL(list, "1", text[0] == 't');
    } else if (text[0] == '{') {
        char *wrapped = bson_strdup_printf("{\"v\":%s}", text);
        bson_t *value = bson_new_from_json((const uint8_t *)wrapped, -1, NULL);
        if (value && bson_iter_init_find(&i, value, "v"))
            bson_append_iter(list, "1", 1, &i);
        bson_destroy(value);
        bson_free(wrapped);
    }
}

/* {id: {"$in": [the text, and what else it may mean]}}. */
static bson_t *record_selector(const char *id, const char *text)
{
    bson_t *out = bson_new(), in, list;

    BSON_APPEND_DOCUMENT_BEGIN(out, id, &in);
    BSON_APPEND_ARRAY_BEGIN(&in, "$in", &list);
    BSON_APPEND_UTF8(&list, "0", text);
    add_readings(&list, text);
    bson_append_array_end(&in, &list);
    bson_append_document_end(out, &in);
    return out;
}

static bool add_row(const struct mongo_results *m, mongoc_bulk_operation_t *bulk,
                    const struct result *row, bson_error_t *error)
{
    bson_t options = BSON_INITIALIZER, *selector, *change;
    bool good;

    /* Names with dots or dollars may come from records; the server says what it takes. */
    BSON_APPEND_BOOL(&options, "validate", false);
    if (m->field) {
        selector = record_selector(m->id, row->record_id);
        change = field_update(m->field, row);
        good = mongoc_bulk_operation_update_one_with_opts(bulk, selector, change, &options, error);
    } else {
        selector = BCON_NEW("_id", BCON_UTF8(row->key));
        change = whole_document(row);
        BSON_APPEND_BOOL(&options, "upsert", true);
        good = mongoc_bulk_operation_replace_one_with_opts(bulk, selector, change, &options, error);
    }
    bson_destroy(selector);
    bson_destroy(change);
    bson_destroy(&options);
    return good;
}

/* *matched: records that were there. */
static bool write_rows(const struct mongo_results *m, const struct result *rows, size_t count,
                       int64_t *matched, bson_error_t *error)
{
    bson_t options = BSON_INITIALIZER, reply = BSON_INITIALIZER;
    bson_iter_t i;
    bool good = true;

    BSON_APPEND_BOOL(&options, "ordered", false);
    mongoc_bulk_operation_t *bulk =
        mongoc_collection_create_bulk_operation_with_opts(m->collection, &options);
    for (size_t n = 0; n < count && good; n++)
        good = add_row(m, bulk, &rows[n], error);
    if (good) {
        bson_destroy(&reply);
        good = mongoc_bulk_operation_execute(bulk, &reply, error);
        *matched = bson_iter_init_find(&i, &reply, "nMatched") ? bson_iter_as_int64(&i) : 0;
    }
    mongoc_bulk_operation_destroy(bulk);
    bson_destroy(&reply);
    bson_destroy(&options);
    return good;
}

/* Whether another try may do better: somebody else inserted the same key at the same moment, or the
 * server (a single one, an old one) knows no majority or no journal. */
static bool try_again(struct mongo_results *m, const bson_error_t *error)
{
    enum { BAD_VALUE = 2, UNKNOWN_CONCERN = 79, UNSATISFIABLE_CONCERN = 100 };

    if (error->code == MONGOC_ERROR_DUPLICATE_KEY && !m->field)
        return true;
    if (!m->ours || !m->majority ||
        (error->code != BAD_VALUE && error->code != UNKNOWN_CONCERN &&
         error->code != UNSATISFIABLE_CONCERN))
        return false;
    m->majority = false;
    set_concern(m);
    return true;
}

static int put(struct results *r, const struct result *rows, size_t count, int64_t *missing,
               struct err *e)
{
    struct mongo_results *m = r->state;
    bson_error_t error = {0};
    int64_t matched = 0;
    int tries = 1;

    while (!write_rows(m, rows, count, &matched, &error))
        if (tries++ == TRIES || !try_again(m, &error))
            return mongo_failed(m->connection, &error, "cannot write results", e);
    if (m->field)
        *missing = (int64_t)count - matched;
    return 0;
}

static int finish(struct results *r, struct err *e)
{
    (void)r;
    (void)e;
    return 0;
}

const struct results_backend results_collection = {
    .type = "mongodb",
    .check = check_collection,
    .open = open_mongo,
    .close = close_mongo,
    .ping = ping,
    .put = put,
    .finish = finish,
};
const struct results_backend results_record = {
    .type = "record",
    .check = check_record,
    .open = open_record,
    .close = close_mongo,
    .ping = ping,
    .put = put,
    .finish = finish,
};
