#include "storage/events.h"

#include "base/uuid.h"
#include "storage/query.h"

#define COLUMNS "id, kind, user_id, subject, address, request_id, data, created_at"

int events_add(struct tx *tx, const struct event_row *event, struct err *e)
{
    char id[UUID_TEXT];

    if (!event->id)
        uuid_v7(id);
    return tx_exec(tx, "INSERT INTO events (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                   DB_ARGS(db_text(event->id ? event->id : id), db_text(event->kind),
                           db_text(event->user_id), db_text(event->subject),
                           db_text(event->address), db_text(event->request_id),
                           db_text(event->data), db_int(event->created_at)),
                   NULL, e);
}

static void from_row(const struct db_rows *r, size_t row, struct event_row *out)
{
    *out = (struct event_row){
        .id = db_str(r, row, 0),
        .kind = db_str(r, row, 1),
        .user_id = db_str(r, row, 2),
        .subject = db_str(r, row, 3),
        .address = db_str(r, row, 4),
        .request_id = db_str(r, row, 5),
        .data = db_str(r, row, 6),
        .created_at = db_i64(r, row, 7),
    };
}

/* Newest first. */
int events_list(struct tx *tx, const struct event_filter *f, struct arena *a,
                struct event_row **out, size_t *count, const char **next, struct err *e)
{
    size_t most = (size_t)page_limit(f->limit);
    struct db_rows rows;
    struct cursor from;
    struct query q;

    query_init(&q, a);
    query_add(&q, "SELECT " COLUMNS " FROM events WHERE 1 = 1");
    if (f->kind)
        query_and(&q, "kind = ", db_text(f->kind));
    if (f->user_id)
        query_and(&q, "user_id = ", db_text(f->user_id));
    if (f->subject)
        query_and(&q, "subject = ", db_text(f->subject));
    if (f->after)
        query_and(&q, "created_at > ", db_int(f->after));
    if (f->cursor) {
        int bad = cursor_read(f->cursor, 'e', a, &from, e);
        if (bad)
            return bad;
        query_and(&q, "id < ", db_text(from.id));
    }
    query_add(&q, " ORDER BY id DESC LIMIT ");
    query_arg(&q, db_int((int64_t)most + 1));
    int rc = query_run(&q, tx, &rows, e);
    if (rc)
        return rc;
    size_t n = rows.count > most ? most : rows.count;
    struct event_row *events = arena_alloc(a, n * sizeof *events);
    for (size_t i = 0; i < n; i++)
        from_row(&rows, i, &events[i]);
    *next = rows.count > n ? cursor_write(a, (struct cursor){'e', "", events[n - 1].id}) : NULL;
    *count = n;
    *out = events;
    return 0;
}

int events_expire(struct tx *tx, int64_t before, struct err *e)
{
    char floor[UUID_TEXT];

    uuid_v7_floor(before, floor); /* the index is by identifier, whose order is that of time */
    return tx_exec(tx, "DELETE FROM events WHERE id < $1", DB_ARGS(db_text(floor)), NULL, e);
}
