/* health.c: `cauldron health`: for health checks of containers, whose images have no curl. */
#include "cli/commands.h"
#include "cli/options.h"

#include <curl/curl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

struct want {
    const char *address;
    int port;
    double seconds;
    bool ready;
};

static const struct opt table[] = {
    {.name = "address",
     .letter = 'a',
     .type = OPT_STRING,
     OPT_INTO(struct want, address),
     .value = "IP",
     .initial = "127.0.0.1",
     .help = "that the server listens on"},
    {.name = "port",
     .letter = 'p',
     .type = OPT_INT,
     OPT_INTO(struct want, port),
     .value = "N",
     .min = 1,
     .max = 65535,
     .initial = "8000",
     .help = "that the server listens on"},
    {.name = "ready",
     .type = OPT_FLAG,
     OPT_INTO(struct want, ready),
     .help = "whether it can do its work (/readyz), too: database, queue, pictures, models"},
    {.name = "seconds",
     .type = OPT_F64,
     OPT_INTO(struct want, seconds),
     .value = "F",
     .min = 0.1,
     .max = 600,
     .initial = "5",
     .help = "to wait for the answer"},
    {0},
};

static const struct opt_spec spec = {
    .command = "health",
    .usage = "[URL] [options]",
    .summary = "Ask the server of this container, or the one at URL (http://host:8000), how it is. "
               "Ends with 1 when it does not answer, or not well. Every option can be set in the "
               "environment, too: the variable is named in brackets.",
    .table = table,
    .max_rest = 1,
    .rest = "a URL",
    .environment = true,
};

/* Where a server that listens on this address is reached from the same machine. */
static const char *own_url(const struct want *want, struct arena *a)
{
    const char *address = want->address;

    if (strcmp(address, "0.0.0.0") == 0)
        address = "127.0.0.1";
    else if (strcmp(address, "::") == 0)
        address = "::1";
    return arena_printf(a, strchr(address, ':') ? "http://[%s]:%d" : "http://%s:%d", address,
                        want->port);
}

static size_t ignore(char *data, size_t size, size_t count, void *user)
{
    (void)data, (void)user;
    return size * count;
}

/* HTTP/1.0 without Host: a server that answers to its public names only answers this, too. */
static long ask(CURL *curl, const char *url, bool own, double seconds, struct err *e)
{
    struct curl_slist *no_host = own ? curl_slist_append(NULL, "Host:") : NULL;
    char text[CURL_ERROR_SIZE] = "";
    long status = 0;

    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "cauldron-health");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, lround(seconds * 1e3));
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, text);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore);
    if (own) {
        curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_0);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, no_host);
    }
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(no_host);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
    if (code)
        return ERR(e, ERR_NETWORK, "cannot ask '%s': %s", url,
                   text[0] ? text : curl_easy_strerror(code));
    return status;
}

static int check(const struct want *want, const char *base, struct err *e)
{
    struct arena a = {0};
    CURL *curl = curl_easy_init();
    const char *path = want->ready ? "/readyz" : "/healthz";
    const char *own = own_url(want, &a);
    size_t length = base ? strlen(base) : 0;

    while (length && base[length - 1] == '/')
        length--;
    const char *url = base ? arena_printf(&a, "%.*s%s", (int)length, base, path)
                           : arena_printf(&a, "%s%s", own, path);
    long status = curl ? ask(curl, url, !base, want->seconds, e)
                       : ERR(e, ERR_NOMEM, "libcurl could not be started");
    int rc = status < 0 ? (int)status : 0;
    if (rc == 0 && status != 200)
        rc = ERR(e, ERR_NETWORK, "'%s' was answered %ld", url, status);
    curl_easy_cleanup(curl);
    arena_release(&a);
    return rc;
}

static int run(int argc, char **argv)
{
    struct want want = {0};
    struct options o;
    struct err e;
    int status = options_parse(&spec, argc, argv, &want, &o);

    if (status >= 0)
        return status;
    int rc = check(&want, o.rest_count ? o.rest[0] : NULL, &e);
    if (rc == 0)
        puts("ok");
    options_release(&o);
    return rc ? fail(EXIT_FAILED, &e) : EXIT_DONE;
}

const struct command command_health = {
    .name = "health",
    .summary = "whether a server answers, for health checks of containers",
    .run = run,
};
