/*
 * A MongoDB collection as a dataset. Every page is a query of its own, "what comes behind this id",
 * so that no cursor has to live while pictures are drawn, and a server that was restarted is as
 * good as any. A comparison ($gt) sees values of its own type alone, while sorting orders all types
 * (MongoDB's manual, "Comparison/Sort Order"): what is behind an id is what is greater, and all of
 * the types that come later. An id other than _id may occur twice: _id decides then.
 */
#include "base/json.h"
#include "datasets/mongo_client.h"
#include "datasets/mongo_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_BYTES = DATASET_RECORD_MOST, POSITION_MOST = 1024 };

struct mongo_dataset {
    struct mongo *connection;
    mongoc_collection_t *collection;
    bson_t *query, *projection; /* projection NULL: everything */
    char *id;
    bool by_id;      /* id is "_id" */
    bson_t *last;    /* {"id": ..., "_id": ...} of the last record; NULL: at the beginning */
    int64_t number;  /* of the last record */
    char *expressed; /* the last position that fits into a text */
};

/* ============================== Documents ============================== */

static bool is_extended(const json_t *value, const struct dataset_access *access)
{
    struct err ignored;
    bson_t *bson = is_object(value, access) ? bson_from_extended(value, &ignored) : NULL;

    if (bson)
        bson_destroy(bson);
    return bson;
}

static const struct member members[] = {
    MONGO_MEMBERS(MEMBER_REQUIRED),
    {"query", is_extended, "a query in MongoDB's extended JSON", MEMBER_OPTIONAL},
    {"projection", is_extended, "a projection: an object of fields", MEMBER_OPTIONAL},
    {"id", is_field_path, "the name of the field that identifies a record", MEMBER_OPTIONAL},
    {0},
};

static int check(const json_t *source, const struct dataset_access *access, struct arena *a,
                 struct dataset_problem *problem, struct err *e)
{
    int rc = members_check(source, members, access, a, problem, e);

    return rc ? rc : mongo_connection_check(source, a, problem, e);
}

/* The projection that was asked for, with the id and _id in it whatever it says of them. */
static int make_projection(struct mongo_dataset *m, const json_t *wanted, struct err *e)
{
    json_t *fields, *value;
    const char *name;
    void *next;
    bool including = false;

    if (!wanted || json_object_size(wanted) == 0)
        return 0;
    fields = json_copy((json_t *)(uintptr_t)wanted);
    json_object_foreach_safe(fields, next, name, value)
    {
        bool zero = json_is_false(value) ||
                    (json_is_number(value) && json_number_value(value) == 0);
        including = including || !zero;
        if (strcmp(name, "_id") == 0 || strcmp(name, m->id) == 0)
            json_object_del(fields, name);
    }
    if (including)
        json_object_set_new(fields, m->id, json_true());
    if (json_object_size(fields))
        m->projection = bson_from_extended(fields, e);
    json_decref(fields);
    return including && !m->projection ? e->code : 0;
}

static void close_collection(struct dataset *d)
{
    struct mongo_dataset *m = d->state;

    if (!m)
        return;
    if (m->collection)
        mongoc_collection_destroy(m->collection);
    bson_destroy(m->query);
    bson_destroy(m->projection);
    bson_destroy(m->last);
    mongo_close(m->connection);
    free(m->expressed);
    free(m->id);
    free(m);
}

static int open_collection(struct dataset *d, const json_t *source,
                           const struct dataset_access *access, struct err *e)
{
    const char *collection = json_text(source, "collection", "");
    const json_t *query = json_object_get(source, "query");
    struct mongo_dataset *m = calloc(1, sizeof *m);
    int rc;

    d->state = m;
    if (!m || !(m->id = strdup(json_text(source, "id", "_id"))) || !(d->name = strdup(collection)))
        return ERR(e, ERR_NOMEM, "no memory for a dataset");
    m->by_id = strcmp(m->id, "_id") == 0;
    if (!(m->query = query ? bson_from_extended(query, e) : bson_new()))
        return e->code;
    if ((rc = make_projection(m, json_object_get(source, "projection"), e)) ||
        (rc = mongo_open(source, access, &m->connection, e)))
        return rc;
    m->collection = mongoc_client_get_collection(m->connection->client,
                                                 json_text(source, "database", ""), collection);
    return 0;
}

/* ============================== Behind an id ============================== */

/* Types in the order in which MongoDB sorts them; a row compares within itself. Types that cannot
 * be compared with $gt, or sort by what is in them (lists), are no ids. */
static const struct {
    bson_type_t types[4];
} order[] = {
    {{BSON_TYPE_NULL}},
    {{BSON_TYPE_DOUBLE, BSON_TYPE_INT32, BSON_TYPE_INT64, BSON_TYPE_DECIMAL128}},
    {{BSON_TYPE_UTF8}},
    {{BSON_TYPE_DOCUMENT}},
    {{BSON_TYPE_BINARY}},
    {{BSON_TYPE_OID}},
    {{BSON_TYPE_BOOL}},
    {{BSON_TYPE_DATE_TIME}},
    {{BSON_TYPE_TIMESTAMP}},
};
enum { CLASSES = sizeof order / sizeof *order };

/* The row of a type; CLASSES: none. */
static size_t class_of(bson_type_t type)
{
    for (size_t i = 0; i < CLASSES; i++)
        for (size_t j = 0; j < 4 && order[i].types[j]; j++)
            if (order[i].types[j] == type)
                return i;
    return CLASSES;
}

static bool can_be_ordered(const bson_iter_t *id)
{
    return class_of(bson_iter_type(id)) < CLASSES &&
           !(BSON_ITER_HOLDS_DOUBLE(id) && isnan(bson_iter_double(id)));
}

/* {name: {operation: value}} as the next element of a list. */
static void add_term(bson_t *list, uint32_t place, const char *name, const char *operation,
                     const bson_iter_t *value)
{
    bson_t term, inner;
    char digits[16];
    const char *key;
    size_t n = bson_uint32_to_string(place, &key, digits, sizeof digits);

    bson_append_document_begin(list, key, (int)n, &term);
    bson_append_document_begin(&term, name, -1, &inner);
    bson_append_iter(&inner, operation, -1, value);
    bson_append_document_end(&term, &inner);
    bson_append_document_end(list, &term);
}

/* {name: {"$type": [those behind the type of value]}} as the next element. */
static void add_later_types(bson_t *list, uint32_t place, const char *name,
                            const bson_iter_t *value)
{
    bson_t term, inner, types;
    char digits[16];
    const char *key;
    uint32_t count = 0;
    size_t n = bson_uint32_to_string(place, &key, digits, sizeof digits);

    bson_append_document_begin(list, key, (int)n, &term);
    bson_append_document_begin(&term, name, -1, &inner);
    BSON_APPEND_ARRAY_BEGIN(&inner, "$type", &types);
    for (size_t i = class_of(bson_iter_type(value)) + 1; i < CLASSES; i++)
        for (size_t j = 0; j < 4 && order[i].types[j]; j++) {
            n = bson_uint32_to_string(count++, &key, digits, sizeof digits);
            bson_append_int32(&types, key, (int)n, (int32_t)order[i].types[j]);
        }
    bson_append_array_end(&inner, &types);
    bson_append_document_end(&term, &inner);
    bson_append_document_end(list, &term);
}

/* {"$or": [...]}: what sorts behind `value` in the field `name`. */
static void add_behind(bson_t *out, const char *name, const bson_iter_t *value)
{
    bson_t list;

    BSON_APPEND_ARRAY_BEGIN(out, "$or", &list);
    add_term(&list, 0, name, "$gt", value);
    if (class_of(bson_iter_type(value)) + 1 < CLASSES)
        add_later_types(&list, 1, name, value);
    bson_append_array_end(out, &list);
}

/* {"$or": [behind id, {id: the same, behind _id}]}. */
static void add_behind_both(bson_t *out, const char *name, const bson_iter_t *id,
                            const bson_iter_t *second)
{
    bson_t list, term;

    BSON_APPEND_ARRAY_BEGIN(out, "$or", &list);
    BSON_APPEND_DOCUMENT_BEGIN(&list, "0", &term);
    add_behind(&term, name, id);
    bson_append_document_end(&list, &term);
    BSON_APPEND_DOCUMENT_BEGIN(&list, "1", &term);
    bson_append_iter(&term, name, -1, id);
    add_behind(&term, "_id", second);
    bson_append_document_end(&list, &term);
    bson_append_array_end(out, &list);
}

static void add_page(const struct mongo_dataset *m, bson_t *out)
{
    bson_iter_t id, second;

    bson_iter_init_find(&id, m->last, "id");
    if (m->by_id) {
        add_behind(out, "_id", &id);
    } else {
        bson_iter_init_find(&second, m->last, "_id");
        add_behind_both(out, m->id, &id, &second);
    }
}

/* {"$and": [query, page]} with what there is of them. */
static void make_filter(const struct mongo_dataset *m, bson_t *out)
{
    bson_t list, page;

    if (!m->last) {
        bson_concat(out, m->query);
    } else if (bson_empty(m->query)) {
        add_page(m, out);
    } else {
        BSON_APPEND_ARRAY_BEGIN(out, "$and", &list);
        BSON_APPEND_DOCUMENT(&list, "0", m->query);
        BSON_APPEND_DOCUMENT_BEGIN(&list, "1", &page);
        add_page(m, &page);
        bson_append_document_end(&list, &page);
        bson_append_array_end(out, &list);
    }
}

static void make_options(const struct mongo_dataset *m, size_t limit, bson_t *out)
{
    bson_t sort;

    BSON_APPEND_DOCUMENT_BEGIN(out, "sort", &sort);
    BSON_APPEND_INT32(&sort, m->id, 1);
    if (!m->by_id)
        BSON_APPEND_INT32(&sort, "_id", 1);
    bson_append_document_end(out, &sort);
    BSON_APPEND_INT64(out, "limit", (int64_t)limit);
    if (m->projection)
        BSON_APPEND_DOCUMENT(out, "projection", m->projection);
}

/* ============================== Records ============================== */

static bool find_field(const bson_t *document, const char *path, bson_iter_t *out)
{
    bson_iter_t i;

    return bson_iter_init(&i, document) && bson_iter_find_descendant(&i, path, out);
}

/* The text of an id (dataset.h); NULL with *problem. */
static const char *text_of_id(const bson_iter_t *id, const char *name, struct arena *a,
                              const char **problem)
{
    const char *text;
    char hex[25];
    uint32_t n = 0;

    if (BSON_ITER_HOLDS_UTF8(id)) {
        text = bson_iter_utf8(id, &n);
        if (!bson_utf8_validate(text, n, false)) {
            *problem = arena_printf(a, "'%s' is no text in UTF-8, or has a NUL in it", name);
            return NULL;
        }
        text = arena_str(a, (struct str){text, n});
    } else if (BSON_ITER_HOLDS_OID(id)) {
        bson_oid_to_string(bson_iter_oid(id), hex);
        text = arena_strdup(a, hex);
    } else if (BSON_ITER_HOLDS_INT(id)) {
        text = arena_printf(a, "%lld", (long long)bson_iter_as_int64(id));
    } else if (BSON_ITER_HOLDS_DOUBLE(id) && isfinite(bson_iter_double(id))) {
        json_t *number = json_real(bson_iter_double(id));
        text = json_canonical(number, a);
        json_decref(number);
    } else if (BSON_ITER_HOLDS_NULL(id)) {
        *problem = arena_printf(a, "it has no '%s'", name);
        return NULL;
    } else if (!(text = extended_text(id, a))) {
        text = "";
    }
    *problem = id_problem(text, strlen(text), name, a);
    return *problem ? NULL : text;
}

/* Where a page after this document begins: {"id", "_id"}. */
static int remember(struct mongo_dataset *m, const bson_t *document, bson_iter_t *id, struct err *e)
{
    bson_iter_t second;
    bool found = find_field(document, m->id, id);

    if (found ? !can_be_ordered(id) : m->by_id)
        return ERR(e, ERR_FORMAT,
                   "record %lld has a '%s' that records cannot be ordered by (a list, NaN, ...)",
                   (long long)m->number + 1, m->id);
    bson_t *last = bson_new();
    if (found)
        bson_append_iter(last, "id", 2, id);
    else
        BSON_APPEND_NULL(last, "id");
    if (!m->by_id && find_field(document, "_id", &second))
        bson_append_iter(last, "_id", 3, &second);
    bson_destroy(m->last);
    m->last = last;
    m->number++;
    bson_iter_init_find(id, m->last, "id");
    return 0;
}

/* The text of m->last; the former one where it is too long: those behind that one are read again.
 */
static const char *express(struct mongo_dataset *m, struct arena *a)
{
    bson_t *document = bson_copy(m->last);

    BSON_APPEND_INT64(document, "n", m->number);
    char *text = bson_as_canonical_extended_json(document, NULL);
    if (text && strlen(text) <= POSITION_MOST) {
        free(m->expressed);
        m->expressed = strdup(text);
    }
    bson_free(text);
    bson_destroy(document);
    return m->expressed ? arena_strdup(a, m->expressed) : NULL;
}

static int take(struct mongo_dataset *m, const bson_t *document, struct record *r, struct arena *a,
                struct err *e)
{
    bson_iter_t id = {0};
    const char *problem = NULL;
    int rc = remember(m, document, &id, e);

    if (rc)
        return rc;
    r->number = m->number;
    r->id = text_of_id(&id, m->id, a, &problem);
    if (!problem)
        r->fields = json_from_bson(document, &problem);
    if (!r->id)
        r->id = arena_printf(a, "%lld", (long long)r->number);
    if (problem)
        r->problem = arena_printf(a, "record %lld: %s", (long long)r->number, problem);
    r->position = express(m, a);
    return 0;
}

/* ============================== Reading ============================== */

static int next(struct dataset *d, size_t limit, struct arena *a, struct record **out,
                size_t *count, struct err *e)
{
    struct mongo_dataset *m = d->state;
    struct record *records = arena_try(a, limit, sizeof *records);
    bson_t filter = BSON_INITIALIZER, options = BSON_INITIALIZER;
    const bson_t *document;
    bson_error_t error = {0};
    size_t n = 0, bytes = 0;
    int rc = 0;

    if (!records)
        return ERR(e, ERR_NOMEM, "no memory for %zu records", limit);
    make_filter(m, &filter);
    make_options(m, limit, &options);
    mongoc_cursor_t *cursor =
        mongoc_collection_find_with_opts(m->collection, &filter, &options, NULL);
    while (rc == 0 && n < limit && bytes < PAGE_BYTES && mongoc_cursor_next(cursor, &document)) {
        rc = take(m, document, &records[n], a, e);
        n += rc == 0;
        bytes += document->len;
    }
    if (rc == 0 && mongoc_cursor_error(cursor, &error))
        rc = mongo_failed(m->connection, &error, "cannot read records", e);
    /* What came before an error is good; the error comes again with the next page. */
    if (n)
        rc = 0;
    if (rc == 0) {
        *out = records;
        *count = n;
    }
    mongoc_cursor_destroy(cursor);
    bson_destroy(&filter);
    bson_destroy(&options);
    return rc;
}

static int seek(struct dataset *d, const char *position, struct err *e)
{
    struct mongo_dataset *m = d->state;
    bson_error_t error;
    bson_iter_t number, id, second;
    bson_t *last = NULL;

    if (position) {
        last = bson_new_from_json((const uint8_t *)position, -1, &error);
        if (!last || !bson_iter_init_find(&number, last, "n") || !BSON_ITER_HOLDS_INT(&number) ||
            !bson_iter_init_find(&id, last, "id") || !can_be_ordered(&id) ||
            (!m->by_id && !bson_iter_init_find(&second, last, "_id"))) {
            bson_destroy(last);
            return ERR(e, ERR_ARG, "'%s' is no position in a collection", position);
        }
    }
    bson_destroy(m->last);
    free(m->expressed);
    m->last = last;
    m->number = position ? bson_iter_as_int64(&number) : 0;
    m->expressed = position ? strdup(position) : NULL;
    return 0;
}

static int count_documents(struct dataset *d, int64_t *out, struct err *e)
{
    const struct mongo_dataset *m = d->state;
    bson_error_t error = {0};
    int64_t n;

    if (bson_empty(m->query))
        n = mongoc_collection_estimated_document_count(m->collection, NULL, NULL, NULL, &error);
    else
        n = mongoc_collection_count_documents(m->collection, m->query, NULL, NULL, NULL, &error);
    if (n < 0)
        return mongo_failed(m->connection, &error, "cannot count records", e);
    *out = n;
    return 0;
}

const struct dataset_backend dataset_mongo = {
    .type = "mongodb",
    .check = check,
    .open = open_collection,
    .close = close_collection,
    .seek = seek,
    .next = next,
    .count = count_documents,
};
