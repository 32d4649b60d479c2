#include "cli/outside.h"

#include "base/file.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

enum { SECRET_MOST = 64 << 10, NAME_MOST = 64 };

static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value && value[0] ? value : NULL;
}

/* The whole of NAME, or of the file that NAME_FILE names; NULL when neither says anything. */
static int read_variable(const char *name, struct arena *a, const char **out, struct err *e)
{
    const char *value = variable(name), *file_name = arena_printf(a, "%s_FILE", name);
    const char *path = variable(file_name);
    struct str text;

    *out = value ? arena_strdup(a, value) : NULL;
    if (value || !path)
        return 0;
    if (file_read(a, path, SECRET_MOST, &text, e))
        return err_prefix(e, "%s", file_name);
    if (strlen(text.p) != text.n)
        return ERR(e, ERR_ARG, "%s: '%s' holds a NUL byte", file_name, path);
    *out = text.p;
    return 0;
}

int secret_variable(const char *name, struct arena *a, const char **out, struct err *e)
{
    const char *text;

    if (read_variable(name, a, &text, e))
        return e->code;
    *out = text ? arena_str(a, (struct str){text, strcspn(text, "\r\n")}) : NULL;
    if (*out && !(*out)[0])
        *out = NULL;
    return 0;
}

static int read_list(const char *given, struct arena *a, const char **out, struct err *e)
{
    if (given) {
        *out = given;
        return 0;
    }
    return secret_variable("CAULDRON_ALLOW_HOSTS", a, out, e);
}

static int make_egress(const char *given, struct arena *a, struct egress **out, struct err *e)
{
    const char *list = NULL;

    if (read_list(given, a, &list, e))
        return e->code;
    return egress_new(list, out, e);
}

int outside_egress(struct egress **out, struct err *e)
{
    struct arena a = {0};
    int rc = make_egress(NULL, &a, out, e);

    arena_release(&a);
    return rc;
}

/* ============================== Object storage ============================== */

/* Who lends keys where none are given; the files are read when they are needed. */
static void read_lenders(struct objects_settings *s, struct arena *a)
{
    const char *relative = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");

    s->aws_role = variable("AWS_ROLE_ARN");
    s->aws_role_session = variable("AWS_ROLE_SESSION_NAME");
    s->aws_web_identity_file = variable("AWS_WEB_IDENTITY_TOKEN_FILE");
    s->aws_container = relative ? arena_printf(a, "http://169.254.170.2%s", relative)
                                : variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    s->aws_container_token = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    s->aws_container_token_file = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    s->aws_profile = variable("AWS_PROFILE");
}

static int read_settings(struct outside *o, struct err *e)
{
    struct objects_settings *s = &o->settings;
    const struct {
        const char *name;
        const char **to;
    } rows[] = {
        {"GCE_METADATA_HOST", &s->google_metadata},
        {"STORAGE_EMULATOR_HOST", &s->google_endpoint},
        {"AWS_ACCESS_KEY_ID", &s->aws_access_key},
        {"AWS_SECRET_ACCESS_KEY", &s->aws_secret_key},
        {"AWS_SESSION_TOKEN", &s->aws_session_token},
        {"AWS_REGION", &s->aws_region},
        {"AWS_ENDPOINT_URL_S3", &s->aws_endpoint},
        {"AWS_ENDPOINT_URL_STS", &s->aws_sts_endpoint},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (secret_variable(rows[i].name, &o->arena, rows[i].to, e))
            return e->code;
    /* A path already; the key file is read, and read again when it changes, by objects/. */
    s->google_credentials = variable("GOOGLE_APPLICATION_CREDENTIALS");
    if (!s->aws_region)
        s->aws_region = variable("AWS_DEFAULT_REGION");
    if (!s->aws_endpoint)
        s->aws_endpoint = variable("AWS_ENDPOINT_URL");
    if (!s->aws_sts_endpoint)
        s->aws_sts_endpoint = variable("AWS_ENDPOINT_URL");
    read_lenders(s, &o->arena);
    return 0;
}

/* ============================== Named texts ============================== */

/* PREFIX and the name in capitals; false when no variable can have that name. */
static bool variable_name(const char *prefix, const char *name, char *out, size_t room)
{
    size_t n = strlen(name), start = strlen(prefix);

    if (n == 0 || n > NAME_MOST || start + n >= room)
        return false;
    memcpy(out, prefix, start);
    for (size_t i = 0; i < n; i++) {
        char c = name[i];
        if (c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        else if (c == '-')
            c = '_';
        else if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
        out[start + i] = c;
    }
    out[start + n] = 0;
    return true;
}

static const char *named(struct outside *o, const char *prefix, const char *name)
{
    char full[NAME_MOST + 32];
    const char *value = NULL;
    struct err e;

    if (!variable_name(prefix, name, full, sizeof full))
        return NULL;
    pthread_mutex_lock(&o->lock);
    value = map_get(&o->known, str_from(full));
    if (!value) {
        if (secret_variable(full, &o->arena, &value, &e))
            LOG(LOG_WARNING, "a setting cannot be read", LOG_ERR(&e));
        else if (value)
            map_put(&o->known, str_from(full), (void *)(uintptr_t)value);
    }
    pthread_mutex_unlock(&o->lock);
    return value;
}

const char *outside_connection(void *outside, const char *name)
{
    return named(outside, "CAULDRON_CONNECTION_", name);
}

const char *outside_secret(void *outside, const char *name)
{
    return named(outside, "CAULDRON_SECRET_", name);
}

/* ============================== Doors ============================== */

int outside_open(const char *allow_hosts, struct outside *out, struct err *e)
{
    *out = (struct outside){.opened = true};
    pthread_mutex_init(&out->lock, NULL);
    if (read_settings(out, e) == 0 && make_egress(allow_hosts, &out->arena, &out->egress, e) == 0 &&
        net_open(&(struct net_options){.egress = out->egress}, &out->net, e) == 0)
        return 0;
    outside_close(out);
    return e->code;
}

void outside_close(struct outside *o)
{
    if (!o->opened)
        return;
    net_close(o->net);
    egress_free(o->egress);
    pthread_mutex_destroy(&o->lock);
    map_release(&o->known);
    arena_release(&o->arena);
    *o = (struct outside){0};
}
