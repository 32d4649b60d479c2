/*
 * One call of objects.h, for tests against real servers; the environment has credentials and
 * endpoints as the program reads them (AWS_*, GOOGLE_APPLICATION_CREDENTIALS, GCE_METADATA_HOST,
 * STORAGE_EMULATOR_HOST, CAULDRON_ALLOW_HOSTS) and TEST_CA_FILE, TEST_GOOGLE_HTTPS,
 * TEST_GOOGLE_LOGIN; the answer is one line of JSON.
 *
 *   store_under_test URL put NAME FILE [replace] [session=TEXT] [part=N] [resumable=N] [type=T]
 *                        [cache=TEXT] [pair=NAME:VALUE]...
 *   store_under_test URL get NAME | head NAME | delete NAME | abandon NAME SESSION | check
 *   store_under_test URL list BELOW LIMIT [CURSOR]
 *   store_under_test URL many NAME COUNT BYTES             as one process: clocks, connections
 *   store_under_test URL threads NAME COUNT BYTES          all at the same time
 *
 * A session that is to be kept is printed as a line of its own when it is: {"session": ...}.
 */
#include "base/file.h"
#include "base/json.h"
#include "objects/gcs_inside.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int keep(void *user, const char *session, struct err *e)
{
    json_t *line = json_pack("{s:s}", "session", session);

    (void)user, (void)e;
    json_dumpf(line, stdout, JSON_COMPACT);
    puts("");
    fflush(stdout);
    json_decref(line);
    return getenv("REFUSE_SESSION") ? ERR(e, ERR_IO, "the session cannot be kept") : 0;
}

static json_t *info_json(const struct object_info *i)
{
    return json_pack("{s:I, s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:b, s:I}", "size",
                     (json_int_t)i->size, "crc32c", i->crc32c, "md5", i->md5, "version", i->version,
                     "type", i->type, "url", i->url, "https", i->https, "existed", i->existed,
                     "sent", (json_int_t)i->sent);
}

static int put(struct objects *o, int n, char **args, struct arena *a, json_t **out, struct err *e)
{
    struct object_pair pairs[16];
    struct object_put p = {.name = args[0], .type = "image/png", .save = keep, .pairs = pairs};
    struct object_info info = {0};

    if (file_read(a, args[1], 1 << 30, &p.bytes, e))
        return e->code;
    for (int i = 2; i < n; i++) {
        struct str word = str_from(args[i]), name;
        if (str_is(word, "replace"))
            p.replace = true;
        else if (str_is(word, "unsaved"))
            p.save = NULL;
        else if (str_skip(&word, "session="))
            p.session = word.p;
        else if (str_skip(&word, "type="))
            p.type = word.p;
        else if (str_skip(&word, "cache="))
            p.cache_control = word.p;
        else if (str_skip(&word, "pair=") && str_cut(&word, ':', &name))
            pairs[p.pair_count++] = (struct object_pair){arena_str(a, name), word.p};
    }
    int rc = object_put(o, &p, a, &info, e);
    if (rc == 0)
        *out = info_json(&info);
    return rc;
}

static int many(struct objects *o, const char *name, int count, size_t bytes, struct arena *a,
                json_t **out, struct err *e)
{
    char *text = arena_alloc(a, bytes + 1);
    json_t *seen = json_array();
    int rc = 0;

    for (int i = 0; i < count && rc == 0; i++) {
        struct object_info info = {0};
        memset(text, 'a' + i % 26, bytes);
        struct object_put p = {.name = arena_printf(a, "%s-%d", name, i), .bytes = {text, bytes}};
        rc = object_put(o, &p, a, &info, e);
        if (rc == 0)
            json_array_append_new(seen, info_json(&info));
    }
    *out = seen;
    return rc;
}

struct worker {
    pthread_t thread;
    struct objects *store;
    struct object_put put;
    int rc;
    struct err e;
};

static void *work(void *user)
{
    struct worker *w = user;
    struct arena a = {0};
    struct object_info info;

    w->rc = object_put(w->store, &w->put, &a, &info, &w->e);
    arena_release(&a);
    return NULL;
}

static int threads(struct objects *o, const char *name, int count, size_t bytes, struct arena *a,
                   json_t **out, struct err *e)
{
    struct worker *w = arena_alloc(a, (size_t)count * sizeof *w);
    char *text = arena_alloc(a, bytes + 1);
    int rc = 0;

    memset(text, 'x', bytes);
    for (int i = 0; i < count; i++) {
        w[i].store = o;
        w[i].put =
            (struct object_put){.name = arena_printf(a, "%s-%d", name, i), .bytes = {text, bytes}};
        pthread_create(&w[i].thread, NULL, work, &w[i]);
    }
    for (int i = 0; i < count; i++) {
        pthread_join(w[i].thread, NULL);
        if (w[i].rc) {
            rc = w[i].rc;
            *e = w[i].e;
        }
    }
    *out = json_integer(count);
    return rc;
}

static int list(struct objects *o, const char *below, size_t limit, const char *cursor,
                struct arena *a, json_t **out, struct err *e)
{
    struct object_entry *entries;
    const char *next;
    size_t count;
    int rc = objects_list(o, below, limit, cursor, a, &entries, &count, &next, e);

    if (rc)
        return rc;
    json_t *items = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(items, json_pack("{s:s, s:I, s:I}", "name", entries[i].name, "size",
                                               (json_int_t)entries[i].size, "updated_at",
                                               (json_int_t)entries[i].updated_at));
    *out = json_pack("{s:o, s:s?}", "items", items, "next", next);
    return 0;
}

static int get(struct objects *o, const char *name, struct arena *a, json_t **out, struct err *e)
{
    struct object_info info;
    struct str bytes;
    int rc = object_get(o, name, 64 << 20, a, &bytes, &info, e);

    if (rc)
        return rc;
    fwrite(bytes.p, 1, bytes.n, stderr); /* the content, apart from the answer */
    *out = info_json(&info);
    return 0;
}

static int call(struct objects *o, int n, char **args, struct arena *a, json_t **out, struct err *e)
{
    const char *what = args[0];
    struct object_info info;

    *out = NULL;
    if (strcmp(what, "check") == 0)
        return objects_check(o, e);
    if (n > 2 && strcmp(what, "put") == 0)
        return put(o, n - 1, args + 1, a, out, e);
    if (n > 2 && strcmp(what, "list") == 0)
        return list(o, args[1], (size_t)strtoul(args[2], NULL, 10), n > 3 ? args[3] : NULL, a, out,
                    e);
    if (n > 3 && strcmp(what, "many") == 0)
        return many(o, args[1], (int)strtol(args[2], NULL, 10), (size_t)strtoul(args[3], NULL, 10),
                    a, out, e);
    if (n > 3 && strcmp(what, "threads") == 0)
        return threads(o, args[1], (int)strtol(args[2], NULL, 10),
                       (size_t)strtoul(args[3], NULL, 10), a, out, e);
    if (n > 1 && strcmp(what, "get") == 0)
        return get(o, args[1], a, out, e);
    if (n > 1 && strcmp(what, "delete") == 0)
        return object_delete(o, args[1], e);
    if (n > 2 && strcmp(what, "abandon") == 0)
        return object_abandon(o, args[1], args[2], e);
    if (n < 2 || strcmp(what, "head") != 0)
        return ERR(e, ERR_ARG, "unknown call '%s'", what);
    int rc = object_head(o, args[1], a, &info, e);
    if (rc == 0)
        *out = info_json(&info);
    return rc;
}

/* Emulators ask for no login; a gate before one does. */
static int log_in(struct objects *o, struct err *e)
{
    struct gcs *g = o->state;
    return gcs_login_open(o->net, &o->settings, &g->login, e);
}

static size_t number(int n, char **args, const char *name)
{
    for (int i = 0; i < n; i++)
        if (strncmp(args[i], name, strlen(name)) == 0)
            return (size_t)strtoul(args[i] + strlen(name), NULL, 10);
    return 0;
}

int main(int argc, char **argv)
{
    struct arena a = {0};
    struct egress *egress = NULL;
    struct net *net = NULL;
    struct objects *o = NULL;
    struct err e = {0};
    json_t *result = NULL;

    if (argc < 3)
        return 2;
    struct objects_options options = {
        .settings = {.aws_access_key = getenv("AWS_ACCESS_KEY_ID"),
                     .aws_secret_key = getenv("AWS_SECRET_ACCESS_KEY"),
                     .aws_session_token = getenv("AWS_SESSION_TOKEN"),
                     .aws_role = getenv("AWS_ROLE_ARN"),
                     .aws_web_identity_file = getenv("AWS_WEB_IDENTITY_TOKEN_FILE"),
                     .aws_sts_endpoint = getenv("AWS_ENDPOINT_URL_STS"),
                     .aws_container = getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
                     .aws_container_token_file = getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
                     .aws_profile = getenv("AWS_PROFILE"),
                     .aws_region = getenv("AWS_REGION"),
                     .aws_endpoint = getenv("AWS_ENDPOINT_URL_S3"),
                     .google_credentials = getenv("GOOGLE_APPLICATION_CREDENTIALS"),
                     .google_metadata = getenv("GCE_METADATA_HOST"),
                     .google_endpoint = getenv("STORAGE_EMULATOR_HOST"),
                     .google_https = getenv("TEST_GOOGLE_HTTPS")},
        .resumable_from = number(argc, argv, "resumable="),
        .part = number(argc, argv, "part="),
    };
    int rc = egress_new(getenv("CAULDRON_ALLOW_HOSTS"), &egress, &e);
    if (rc == 0)
        rc = net_open(&(struct net_options){.egress = egress, .ca_file = getenv("TEST_CA_FILE")},
                      &net, &e);
    options.net = net;
    if (rc == 0)
        rc = objects_open(argv[1], &options, &o, &e);
    if (rc == 0 && getenv("TEST_GOOGLE_LOGIN"))
        rc = log_in(o, &e);
    if (rc == 0)
        rc = call(o, argc - 2, argv + 2, &a, &result, &e);
    struct objects_stats stats = {0};
    if (o)
        objects_stats(o, &stats);
    json_t *line = json_pack("{s:s, s:s?, s:o?, s:I, s:I}", "code", rc ? err_name(rc) : "done",
                             "message", rc ? e.message : NULL, "result", result, "resumed",
                             (json_int_t)stats.resumed, "sent", (json_int_t)stats.bytes_sent);
    json_dumpf(line, stdout, JSON_COMPACT);
    puts("");
    json_decref(line);
    objects_close(o);
    net_close(net);
    egress_free(egress);
    arena_release(&a);
    return rc ? 1 : 0;
}
