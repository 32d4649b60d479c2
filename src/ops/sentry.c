#include "ops/sentry.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/uuid.h"
#include "net/http.h"

#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { QUEUE = 64, CRASH_BYTES = 64 << 10 };

struct sentry {
    struct arena arena; /* url, auth: constant after open */
    char *url, *auth;
    const char *release, *environment, *server_name;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char *queue[QUEUE]; /* envelopes, a ring */
    size_t first, count;
    bool stop, busy;
    struct sentry_stats stats;
};

/* "https://KEY@HOST/PATH/PROJECT" -> where to post, and as whom. */
static int parse_dsn(struct sentry *s, const char *dsn, struct err *e)
{
    const char *scheme_end = strstr(dsn, "://"), *at = strchr(dsn, '@'), *slash = strrchr(dsn, '/');

    if (!scheme_end || !at || !slash || at < scheme_end + 4 || slash < at || !slash[1] ||
        (strncmp(dsn, "http://", 7) != 0 && strncmp(dsn, "https://", 8) != 0))
        return ERR(e, ERR_ARG,
                   "the Sentry DSN is not of the form 'https://KEY@HOST/PROJECT'; see SENTRY_DSN");
    const char *key = scheme_end + 3;
    size_t key_length = strcspn(key, ":@"); /* old DSNs have a secret after a colon */
    s->url = arena_printf(&s->arena, "%.*s%.*s/api/%s/envelope/", (int)(key - dsn), dsn,
                          (int)(slash - at - 1), at + 1, slash + 1);
    s->auth = arena_printf(&s->arena,
                           "X-Sentry-Auth: Sentry sentry_version=7, sentry_client=%s, "
                           "sentry_key=%.*s",
                           s->release, (int)key_length, key);
    return 0;
}

static int check_host(struct sentry *s, const struct egress *egress, struct err *e)
{
    struct net_url url;

    if (!egress)
        return 0;
    if (net_url_read(s->url, &s->arena, &url, e) || egress_check(egress, url.host, url.port, e))
        return err_prefix(e, "the Sentry DSN");
    return 0;
}

static size_t ignore(char *bytes, size_t size, size_t count, void *user)
{
    (void)bytes, (void)user;
    return size * count;
}

static bool post(const struct sentry *s, const char *envelope)
{
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = NULL;
    long status = 0;

    if (!curl)
        return false;
    headers = curl_slist_append(headers, s->auth);
    headers = curl_slist_append(headers, "Content-Type: application/x-sentry-envelope");
    curl_easy_setopt(curl, CURLOPT_URL, s->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, envelope);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 5000L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    if (code != CURLE_OK || status / 100 != 2)
        LOG(LOG_WARNING, "error report not taken", LOG_NUMBER("status", status),
            LOG_TEXT("reason", curl_easy_strerror(code)));
    return code == CURLE_OK && status / 100 == 2;
}

static void *run(void *user)
{
    struct sentry *s = user;

    pthread_mutex_lock(&s->lock);
    while (!s->stop || s->count) {
        if (!s->count) {
            pthread_cond_wait(&s->changed, &s->lock);
            continue;
        }
        char *envelope = s->queue[s->first];
        s->first = (s->first + 1) % QUEUE;
        s->count--;
        s->busy = true;
        pthread_mutex_unlock(&s->lock);
        bool sent = post(s, envelope);
        free(envelope);
        pthread_mutex_lock(&s->lock);
        s->busy = false;
        *(sent ? &s->stats.sent : &s->stats.failed) += 1;
        pthread_cond_broadcast(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static void enqueue(struct sentry *s, char *envelope)
{
    pthread_mutex_lock(&s->lock);
    if (s->count == QUEUE || s->stop) {
        s->stats.dropped++;
        free(envelope);
    } else {
        s->queue[(s->first + s->count++) % QUEUE] = envelope;
        pthread_cond_broadcast(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
}

static json_t *tags(const struct sentry_event *event)
{
    json_t *t = json_object();
    const char *const pairs[][2] = {
        {"request_id", event->request_id}, {"job", event->job}, {"operation", event->operation}};

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (pairs[i][1])
            json_object_set_new(t, pairs[i][0], json_string(pairs[i][1]));
    return t;
}

static json_t *payload(const struct sentry *s, const struct sentry_event *event, const char *id)
{
    char now[CLOCK_TEXT];

    clock_format(clock_unix_ms(), now);
    json_t *p = json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:s}, s:o}", "event_id", id, "timestamp",
                          now, "platform", "native", "level", event->level ? event->level : "error",
                          "logger", "cauldron", "logentry", "formatted",
                          event->message ? event->message : "", "tags", tags(event));
    if (!p)
        return NULL; /* a text was not UTF-8 */
    json_object_set_new(p, "release", json_text_or_null(s->release));
    json_object_set_new(p, "environment", json_text_or_null(s->environment));
    json_object_set_new(p, "server_name", json_text_or_null(s->server_name));
    if (event->place)
        json_object_set_new(p, "culprit", json_string(event->place));
    if (event->trace_id)
        json_object_set_new(p, "contexts",
                            json_pack("{s:{s:s}}", "trace", "trace_id", event->trace_id));
    return p;
}

void sentry_report(struct sentry *s, const struct sentry_event *event)
{
    struct arena a = {0};
    char id[33], now[CLOCK_TEXT];

    if (!s || !s->url)
        return;
    random_hex(id, 16);
    clock_format(clock_unix_ms(), now);
    json_t *p = payload(s, event, id);
    if (p) {
        const char *text = json_compact(p, &a);
        struct buf b;
        buf_init(&b, strlen(text) + 512);
        if (buf_addf(&b, "{\"event_id\":\"%s\",\"sent_at\":\"%s\"}\n", id, now) == 0 &&
            buf_addf(&b, "{\"type\":\"event\",\"length\":%zu}\n%s\n", strlen(text), text) == 0)
            enqueue(s, buf_take(&b));
        buf_release(&b);
        json_decref(p);
    }
    arena_release(&a);
}

/* The files that crash.c left: an empty one means that its process ended well or lives; a full one
 * is sent and removed, or without a DSN stays for people to read. */
static void report_crashes(struct sentry *s, const char *folder)
{
    DIR *dir = folder ? opendir(folder) : NULL;
    struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        struct str name = str_from(entry->d_name), text;
        struct arena a = {0};
        struct err e;
        int64_t pid;
        const char *path = arena_printf(&a, "%s/%s", folder, entry->d_name);
        if (str_skip(&name, "crash-") && str_to_i64(name, &pid) && pid > 0 && pid <= INT32_MAX &&
            kill((pid_t)pid, 0) && errno == ESRCH &&
            file_read(&a, path, CRASH_BYTES, &text, &e) == 0 && (!text.n || s->url)) {
            if (text.n)
                sentry_report(s, &(struct sentry_event){.level = "fatal", .message = text.p});
            unlink(path);
        }
        arena_release(&a);
    }
    if (dir)
        closedir(dir);
}

int sentry_open(const struct sentry_options *o, struct sentry **out, struct err *e)
{
    struct sentry *s = calloc(1, sizeof *s);

    if (!s)
        return ERR(e, ERR_NOMEM, "no memory for error reports");
    s->release = o->release ? arena_strdup(&s->arena, o->release) : "cauldron";
    s->environment = o->environment ? arena_strdup(&s->arena, o->environment) : NULL;
    s->server_name = o->server_name ? arena_strdup(&s->arena, o->server_name) : NULL;
    if (o->dsn && o->dsn[0] && (parse_dsn(s, o->dsn, e) || check_host(s, o->egress, e))) {
        arena_release(&s->arena);
        free(s);
        return e->code;
    }
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    if (pthread_create(&s->thread, NULL, run, s)) {
        arena_release(&s->arena);
        free(s);
        return ERR(e, ERR_NOMEM, "cannot start the thread for error reports");
    }
    report_crashes(s, o->crash_folder);
    *out = s;
    return 0;
}

void sentry_close(struct sentry *s, double seconds)
{
    struct timespec until;

    if (!s)
        return;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (time_t)seconds;
    pthread_mutex_lock(&s->lock);
    while ((s->count || s->busy) && pthread_cond_timedwait(&s->changed, &s->lock, &until) == 0)
        ;
    for (; s->count; s->count--, s->first = (s->first + 1) % QUEUE)
        free(s->queue[s->first]);
    s->stop = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    arena_release(&s->arena);
    free(s);
}

void sentry_stats(struct sentry *s, struct sentry_stats *out)
{
    pthread_mutex_lock(&s->lock);
    *out = s->stats;
    pthread_mutex_unlock(&s->lock);
}
