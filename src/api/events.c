#include "storage/events.h"

#include "api/api_routes.h"
#include "api/app.h"
#include "base/clock.h"
#include "base/json.h"

static json_t *event_json(const struct event_row *row)
{
    json_t *o = json_object(), *data = NULL;
    struct err e;

    if (row->data && json_read(str_from(row->data), &data, &e))
        data = NULL;
    json_object_set_new(o, "id", json_string(row->id));
    json_object_set_new(o, "kind", json_string(row->kind));
    json_object_set_new(o, "user_id", json_text_or_null(row->user_id));
    json_object_set_new(o, "subject", json_text_or_null(row->subject));
    json_object_set_new(o, "address", json_text_or_null(row->address));
    json_object_set_new(o, "request_id", json_text_or_null(row->request_id));
    json_object_set_new(o, "data", data ? data : json_null());
    json_object_set_new(o, "created_at", json_time_or_null(row->created_at));
    return o;
}

int api_list_events(struct request *r, struct response *w, struct err *e)
{
    const json_t *query = request_query(r);
    struct event_filter filter = {.kind = json_text(query, "kind", NULL),
                                  .user_id = json_text(query, "user_id", NULL),
                                  .subject = json_text(query, "subject", NULL),
                                  .limit = (int)json_int(query, "limit", 50),
                                  .cursor = json_text(query, "cursor", NULL)};
    struct event_row *rows = NULL;
    const char *next = NULL;
    size_t count = 0;
    struct tx *tx;

    clock_parse(str_from(json_text(query, "after", "")), &filter.after);
    int rc = tx_begin(app_of(r)->db, TX_READ, &tx, e);
    if (rc)
        return rc;
    rc = events_list(tx, &filter, request_arena(r), &rows, &count, &next, e);
    tx_rollback(tx);
    if (rc)
        return rc;
    json_t *items = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(items, event_json(&rows[i]));
    return respond_json(
        w, 200, json_pack("{s:o, s:o}", "items", items, "next_cursor", json_text_or_null(next)));
}
