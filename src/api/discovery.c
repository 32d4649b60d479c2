/* discovery.c: this server and those that it hears on the local network (ops/mdns.h). */
#include "api/api_routes.h"
#include "api/app.h"
#include "base/json.h"
#include "ops/mdns.h"

static json_t *server_json(const struct mdns_server *s)
{
    json_t *o = json_pack("{s:s, s:s, s:i}", "name", s->name, "url", s->url, "port", s->port);

    json_object_set_new(o, "host", json_text_or_null(s->host));
    json_object_set_new(o, "address", json_text_or_null(s->address));
    json_object_set_new(o, "version", json_text_or_null(s->version));
    json_object_set_new(o, "seen_at", json_time_or_null(s->seen_at));
    return o;
}

int api_get_discovery(struct request *r, struct response *w, struct err *e)
{
    struct app *app = app_of(r);
    struct mdns *mdns = app->mdns;
    struct mdns_view view;

    if (!mdns)
        return ERR(e, ERR_NETWORK, "the server is starting; try again");
    mdns_look(mdns, request_arena(r), &view);
    json_t *items = json_array();
    for (size_t i = 0; i < view.count; i++)
        json_array_append_new(items, server_json(&view.servers[i]));
    struct mdns_server self = {.name = view.name,
                               .url = request_base_url(r),
                               .host = view.host,
                               .version = app->version,
                               .port = view.port};
    json_t *answer = json_pack(
        "{s:b, s:b, s:o, s:o, s:o}", "available", view.available, "announced", view.announced,
        "detail", json_text_or_null(view.detail), "self", server_json(&self), "items", items);
    return respond_json(w, 200, answer);
}
