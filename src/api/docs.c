/* docs.c: the contract as a page for people, and as YAML and JSON for programs. All three are made
 * when the program is built (tools/openapi). */
#include "api/api_routes.h"
#include "api/api_texts.h"

enum { FRESH_SECONDS = 300 };

static int respond_text(struct request *r, struct response *w, const char *type,
                        const struct api_text *text)
{
    if (respond_not_modified(r, w, text->etag, FRESH_SECONDS, text->size))
        return 0;
    respond_header(w, "ETag", text->etag);
    respond_header(w, "Cache-Control", "public, max-age=300");
    return respond_bytes(w, 200, type, (struct str){text->bytes, text->size});
}

int api_docs(struct request *r, struct response *w, struct err *e)
{
    (void)e;
    respond_header(w, "Content-Security-Policy", api_docs_policy);
    return respond_text(r, w, "text/html; charset=utf-8", &api_text_docs);
}

/* The web app; where it was not built, people begin with the reference. */
int api_home(struct request *r, struct response *w, struct err *e)
{
    struct err none;

    return respond_static(r, w, &none) ? api_docs(r, w, e) : 0;
}

int api_openapi_yaml(struct request *r, struct response *w, struct err *e)
{
    (void)e;
    return respond_text(r, w, "application/yaml", &api_text_yaml);
}

int api_openapi_json(struct request *r, struct response *w, struct err *e)
{
    (void)e;
    return respond_text(r, w, "application/json", &api_text_json);
}
