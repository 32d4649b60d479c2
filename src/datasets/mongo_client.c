#include "datasets/mongo_client.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* libmongoc's own way to connect (DNS, TCP, TLS), which language bindings wrap; it is exported, but
 * only its private header declares it. */
mongoc_stream_t *mongoc_client_default_stream_initiator(const mongoc_uri_t *uri,
                                                        const mongoc_host_list_t *host,
                                                        void *client, bson_error_t *error);

/* ============================== Start and end ============================== */

static void to_log(mongoc_log_level_t level, const char *domain, const char *message, void *user)
{
    (void)user;
    if (level <= MONGOC_LOG_LEVEL_CRITICAL)
        LOG(LOG_ERROR, "mongodb", LOG_TEXT("part", domain), LOG_TEXT("message", message));
    else if (level == MONGOC_LOG_LEVEL_WARNING) /* what matters of it comes as an error, too */
        LOG(LOG_INFO, "mongodb", LOG_TEXT("part", domain), LOG_TEXT("message", message));
    else
        LOG(LOG_DEBUG, "mongodb", LOG_TEXT("part", domain), LOG_TEXT("message", message));
}

void datasets_init(void)
{
    mongoc_log_set_handler(to_log, NULL); /* before: mongoc_init has things to say, too */
    mongoc_init();
}

void datasets_end(void)
{
    mongoc_cleanup();
}

/* ============================== Errors ============================== */

enum err_code mongo_code(const bson_error_t *error)
{
    /* Codes of the server: its src/mongo/base/error_codes.yml. */
    static const uint32_t away[] = {6,    7,     50,    64,    89,    91,    112,   189,
                                    9001, 10058, 10107, 11600, 11602, 13435, 13436, 262},
                          denied[] = {11, 13, 18, 31, 8000},
                          asked[] = {2,  9,  14,  16,  17,  28,  40,    52,    54,    55,    57,
                                     73, 96, 121, 146, 168, 292, 10334, 17419, 31249, 31254, 17280};

    if (error->domain == MONGOC_ERROR_CLIENT && error->code == MONGOC_ERROR_CLIENT_AUTHENTICATE)
        return ERR_DENIED;
    if (error->domain == MONGOC_ERROR_SCRAM || error->domain == MONGOC_ERROR_SASL)
        return ERR_DENIED;
    if (error->domain == MONGOC_ERROR_STREAM || error->domain == MONGOC_ERROR_SERVER_SELECTION ||
        error->domain == MONGOC_ERROR_PROTOCOL || error->domain == MONGOC_ERROR_WRITE_CONCERN)
        return ERR_NETWORK;
    if (error->domain == MONGOC_ERROR_BSON || error->domain == MONGOC_ERROR_COMMAND ||
        error->domain == MONGOC_ERROR_NAMESPACE)
        return ERR_ARG;
    for (size_t i = 0; i < sizeof away / sizeof *away; i++)
        if (error->code == away[i])
            return ERR_NETWORK;
    for (size_t i = 0; i < sizeof denied / sizeof *denied; i++)
        if (error->code == denied[i])
            return ERR_DENIED;
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        if (error->code == asked[i])
            return ERR_ARG;
    return ERR_IO;
}

/* In place: every occurrence of the secret becomes stars. */
static void hide(char *text, const char *secret)
{
    size_t n = secret ? strlen(secret) : 0;

    for (char *at; n && (at = strstr(text, secret)); text = at + n)
        memset(at, '*', n);
}

int mongo_failed(const struct mongo *m, const bson_error_t *error, const char *what, struct err *e)
{
    bool away = error->domain == MONGOC_ERROR_STREAM ||
                error->domain == MONGOC_ERROR_SERVER_SELECTION;
    char message[sizeof error->message];

    if (m->denied.code && away) {
        *e = m->denied;
        return e->code;
    }
    memcpy(message, error->message, sizeof message);
    message[sizeof message - 1] = 0;
    hide(message, m->password);
    return ERR(e, mongo_code(error), "%s: MongoDB at %s: %s%s%s", what, m->hosts, message,
               away && m->why[0] ? ": " : "", away ? m->why : "");
}

/* ============================== Connecting ============================== */

/* A stream that fails when it is first used. A NULL instead makes libmongoc 1.23 wait for itself
 * when the host is one that a server named: it reports the failure under a lock that it holds. */
static mongoc_stream_t *dead_stream(void)
{
    mongoc_socket_t *s = mongoc_socket_new(AF_UNIX, SOCK_STREAM, 0);

    return s ? mongoc_stream_socket_new(s) : NULL;
}

static mongoc_stream_t *connect_if_allowed(const mongoc_uri_t *uri, const mongoc_host_list_t *host,
                                           void *user, bson_error_t *error)
{
    struct mongo *m = user;
    mongoc_stream_t *stream;

    m->why[0] = 0;
    if (host->family != AF_UNIX && egress_check(m->egress, host->host, host->port, &m->denied))
        return dead_stream();
    stream = mongoc_client_default_stream_initiator(uri, host, m->client, error);
    if (stream)
        return stream;
    snprintf(m->why, sizeof m->why, "%.200s", error->message);
    return dead_stream();
}

static void set_default(mongoc_uri_t *uri, const char *option, int32_t value)
{
    if (!mongoc_uri_has_option(uri, option))
        mongoc_uri_set_option_as_int32(uri, option, value);
}

static const char *find_uri(const json_t *document, const struct dataset_access *access,
                            struct err *e)
{
    const char *name = json_text(document, "connection", NULL), *uri;
    char capitals[65];
    size_t n = 0;

    if (!name)
        return json_text(document, "uri", "");
    if (access && access->connection && (uri = access->connection(access->user, name)))
        return uri;
    for (; n < sizeof capitals - 1 && name[n]; n++)
        capitals[n] = name[n] == '-' ? '_' : (char)toupper((unsigned char)name[n]);
    capitals[n] = 0;
    ERR(e, ERR_NOT_FOUND, "no connection is named '%s': set CAULDRON_CONNECTION_%s", name,
        capitals);
    return NULL;
}

/* "a:27017,b:27017": those that the egress list allows; it is ERR_DENIED where one is not. */
static int list_hosts(struct mongo *m, const mongoc_uri_t *uri, struct err *e)
{
    const mongoc_host_list_t *host = mongoc_uri_get_hosts(uri);
    const char *service = mongoc_uri_get_srv_hostname(uri);
    struct buf text;
    int rc = 0;

    buf_init(&text, 4096);
    if (service && (rc = egress_check(m->egress, service, 0, e)) == 0)
        rc = buf_addf(&text, "%s", service);
    for (; host && rc == 0; host = host->next) {
        if (host->family != AF_UNIX)
            rc = egress_check(m->egress, host->host, host->port, e);
        if (rc == 0 && !service && text.n < 512)
            rc = buf_addf(&text, "%s%s", text.n ? "," : "", host->host_and_port);
    }
    if (rc == 0)
        m->hosts = buf_take(&text);
    buf_release(&text);
    return rc;
}

static int make_client(struct mongo *m, mongoc_uri_t *uri, struct err *e)
{
    bson_error_t error = {0};
    const char *password = mongoc_uri_get_password(uri);
    int rc = list_hosts(m, uri, e);

    if (rc)
        return rc;
    m->password = password && password[0] ? strdup(password) : NULL;
    set_default(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, 8000);
    set_default(uri, MONGOC_URI_CONNECTTIMEOUTMS, 5000);
    set_default(uri, MONGOC_URI_SOCKETTIMEOUTMS, 60000);
    if (!mongoc_uri_has_option(uri, MONGOC_URI_SERVERSELECTIONTRYONCE))
        mongoc_uri_set_option_as_bool(uri, MONGOC_URI_SERVERSELECTIONTRYONCE, false);
    if (!mongoc_uri_get_appname(uri))
        mongoc_uri_set_appname(uri, "cauldron");
    if (!(m->client = mongoc_client_new_from_uri_with_error(uri, &error)))
        return mongo_failed(m, &error, "cannot connect", e);
    mongoc_client_set_error_api(m->client, MONGOC_ERROR_API_VERSION_2);
    mongoc_client_set_stream_initiator(m->client, connect_if_allowed, m);
    return 0;
}

int mongo_open(const json_t *document, const struct dataset_access *access, struct mongo **out,
               struct err *e)
{
    const char *text = find_uri(document, access, e);
    struct mongo *m;
    mongoc_uri_t *uri;
    bson_error_t error = {0};
    int rc;

    if (!text)
        return e->code;
    mongoc_init(); /* once is enough, and more often is fine */
    /* What libmongoc says about a URI may quote it with its password. */
    if (!(uri = mongoc_uri_new_with_error(text, &error)))
        return ERR(e, ERR_ARG,
                   "%s'%s' is no URI of MongoDB (mongodb://user:password@host:port/?options)",
                   json_object_get(document, "connection") ? "the connection " : "",
                   json_text(document, "connection", "uri"));
    if (!(m = calloc(1, sizeof *m))) {
        mongoc_uri_destroy(uri);
        return ERR(e, ERR_NOMEM, "no memory for a connection");
    }
    m->egress = access ? access->egress : NULL;
    if ((rc = make_client(m, uri, e)))
        mongo_close(m);
    else
        *out = m;
    mongoc_uri_destroy(uri);
    return rc;
}

void mongo_close(struct mongo *m)
{
    if (!m)
        return;
    if (m->client)
        mongoc_client_destroy(m->client);
    free(m->hosts);
    free(m->password);
    free(m);
}

/* ============================== Documents ============================== */

bool is_connection(const json_t *value, const struct dataset_access *access)
{
    const char *text = json_string_value(value);
    size_t n = json_string_length(value);

    (void)access;
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)text[i]) && text[i] != '_' && text[i] != '-')
            return false;
    return n >= 1 && n <= 64;
}

bool is_mongo_uri(const json_t *value, const struct dataset_access *access)
{
    struct str text = str_from(json_string_value(value));

    return (str_starts(text, "mongodb://") || str_starts(text, "mongodb+srv://")) &&
           !(access && access->inside);
}

bool is_database(const json_t *value, const struct dataset_access *access)
{
    const char *text = json_string_value(value);

    return is_text(value, access) && strlen(text) < 64 && !strpbrk(text, "/\\. \"$*<>:|?");
}

bool is_collection(const json_t *value, const struct dataset_access *access)
{
    const char *text = json_string_value(value);

    return is_text(value, access) && strlen(text) < 200 && !strchr(text, '$') && text[0] != '.' &&
           text[strlen(text) - 1] != '.';
}

bool is_field_path(const json_t *value, const struct dataset_access *access)
{
    struct str rest = str_from(json_string_value(value)), part;

    if (!is_text(value, access))
        return false;
    while (str_cut(&rest, '.', &part))
        if (part.n == 0 || part.p[0] == '$')
            return false;
    return true;
}

int mongo_connection_check(const json_t *document, struct arena *a, struct dataset_problem *problem,
                           struct err *e)
{
    bool named = json_object_get(document, "connection"),
         written = json_object_get(document, "uri");

    if (!named && !written)
        return member_problem("connection", "the name of a connection", a, problem, e);
    if (named && written)
        return member_problem("uri", "either a connection or a uri, not both", a, problem, e);
    return 0;
}
