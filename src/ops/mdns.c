#include "ops/mdns.h"

#include "base/clock.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <avahi-client/client.h>
#include <avahi-client/lookup.h>
#include <avahi-client/publish.h>
#include <avahi-common/alternative.h>
#include <avahi-common/error.h>
#include <avahi-common/malloc.h>
#include <avahi-common/thread-watch.h>
#include <avahi-common/timeval.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char TYPE[] = "_cauldron._tcp";
static const unsigned RETRY_MS = 5000;

/* One instance that somebody announces, asked for its address as long as it is announced. */
struct asked {
    struct asked *next;
    struct mdns *mdns;
    struct mdns_key key;
    char name[MDNS_NAME], domain[MDNS_HOST], host[MDNS_HOST];
    AvahiServiceResolver *resolver;
};

struct mdns {
    struct mdns_options options; /* texts in the arena */
    struct arena arena;
    AvahiThreadedPoll *poll;

    /* Of Avahi's thread alone: */
    AvahiTimeout *again; /* (re)connects */
    AvahiClient *client;
    AvahiEntryGroup *group;
    AvahiServiceBrowser *browser;
    struct asked *asked;
    size_t asked_count;

    pthread_mutex_t lock; /* of what follows */
    struct mdns_list list;
    bool available, announced;
    char name[MDNS_NAME], host[MDNS_HOST], detail[200];
};

/* ============================== What mdns_look shows ============================== */

/* detail NULL: it works. */
static void set_available(struct mdns *m, const char *what, const char *detail)
{
    pthread_mutex_lock(&m->lock);
    m->available = !detail;
    m->announced &= !detail;
    m->detail[0] = 0;
    if (detail)
        snprintf(m->detail, sizeof m->detail, "%s: %s", what, detail);
    pthread_mutex_unlock(&m->lock);
}

static void set_announced(struct mdns *m, bool announced, const char *detail)
{
    pthread_mutex_lock(&m->lock);
    m->announced = announced;
    snprintf(m->detail, sizeof m->detail, "%s", detail ? detail : "");
    pthread_mutex_unlock(&m->lock);
}

static void set_text(struct mdns *m, char *field, size_t room, const char *text)
{
    pthread_mutex_lock(&m->lock);
    snprintf(field, room, "%s", text ? text : "");
    pthread_mutex_unlock(&m->lock);
}

/* ============================== Announcing ============================== */

static void announce(struct mdns *m);

/* RFC 6763, appendix D: "name" is taken, "name #2" is tried. */
static void rename_self(struct mdns *m)
{
    char *next = avahi_alternative_service_name(m->name);

    if (next)
        set_text(m, m->name, sizeof m->name, next);
    avahi_free(next);
}

static void on_group(AvahiEntryGroup *group, AvahiEntryGroupState state, void *user)
{
    struct mdns *m = user;

    m->group = group;
    switch (state) {
    case AVAHI_ENTRY_GROUP_ESTABLISHED:
        set_announced(m, true, NULL);
        LOG(LOG_INFO, "announced on the local network", LOG_TEXT("name", m->name));
        break;
    case AVAHI_ENTRY_GROUP_COLLISION:
        set_announced(m, false, NULL);
        rename_self(m);
        announce(m);
        break;
    case AVAHI_ENTRY_GROUP_FAILURE:
        set_announced(m, false, avahi_strerror(avahi_client_errno(m->client)));
        break;
    case AVAHI_ENTRY_GROUP_UNCOMMITED:
    case AVAHI_ENTRY_GROUP_REGISTERING:
        break;
    }
}

/* The interface and protocol of the address that is listened on; unspecified for all. */
static void where(const struct mdns *m, AvahiIfIndex *interface, AvahiProtocol *protocol)
{
    const char *address = m->options.address;
    struct in_addr v4;
    struct in6_addr v6;
    struct ifaddrs *all = NULL;
    int family = !address                                 ? AF_UNSPEC
                 : inet_pton(AF_INET, address, &v4) == 1  ? AF_INET
                 : inet_pton(AF_INET6, address, &v6) == 1 ? AF_INET6
                                                          : AF_UNSPEC;

    *interface = AVAHI_IF_UNSPEC;
    *protocol = family == AF_INET ? AVAHI_PROTO_INET : AVAHI_PROTO_UNSPEC;
    if (family == AF_UNSPEC || getifaddrs(&all))
        return;
    for (const struct ifaddrs *x = all; x; x = x->ifa_next) {
        struct sockaddr_in s4;
        struct sockaddr_in6 s6;
        if (!x->ifa_addr || x->ifa_addr->sa_family != family)
            continue;
        memcpy(family == AF_INET ? (void *)&s4 : (void *)&s6, x->ifa_addr,
               family == AF_INET ? sizeof s4 : sizeof s6);
        if (family == AF_INET ? memcmp(&s4.sin_addr, &v4, sizeof v4) == 0
                              : memcmp(&s6.sin6_addr, &v6, sizeof v6) == 0) {
            *interface = (AvahiIfIndex)if_nametoindex(x->ifa_name);
            *protocol = family == AF_INET ? AVAHI_PROTO_INET : AVAHI_PROTO_INET6;
        }
    }
    freeifaddrs(all);
}

static int add_service(struct mdns *m)
{
    char version[MDNS_VERSION + 16];
    AvahiIfIndex interface;
    AvahiProtocol protocol;

    where(m, &interface, &protocol);
    snprintf(version, sizeof version, "version=%s", m->options.version);
    return avahi_entry_group_add_service(m->group, interface, protocol, 0, m->name, TYPE, NULL,
                                         NULL, (uint16_t)m->options.port, version, "path=/",
                                         "https=0", NULL);
}

static void announce(struct mdns *m)
{
    int rc = 0;

    if (!m->options.announce)
        return;
    if (!m->group)
        m->group = avahi_entry_group_new(m->client, on_group, m);
    if (!m->group)
        rc = avahi_client_errno(m->client);
    else if (!avahi_entry_group_is_empty(m->group))
        rc = avahi_entry_group_reset(m->group);
    for (int i = 0; i < 100 && rc == 0; i++) {
        rc = add_service(m);
        if (rc != AVAHI_ERR_COLLISION) /* with another program of this host */
            break;
        rename_self(m);
        rc = 0;
    }
    if (rc == 0)
        rc = avahi_entry_group_commit(m->group);
    if (rc)
        set_announced(m, false, avahi_strerror(rc));
}

/* ============================== Listening ============================== */

static struct str txt(AvahiStringList *list, const char *key)
{
    AvahiStringList *x = avahi_string_list_find(list, key);
    size_t skip = strlen(key) + 1;

    if (!x || avahi_string_list_get_size(x) < skip)
        return (struct str){0};
    return (struct str){(const char *)avahi_string_list_get_text(x) + skip,
                        avahi_string_list_get_size(x) - skip};
}

static void resolve(struct asked *x);

static void on_resolved(AvahiServiceResolver *resolver, AvahiIfIndex interface,
                        AvahiProtocol protocol, AvahiResolverEvent event, const char *name,
                        const char *type, const char *domain, const char *host,
                        const AvahiAddress *address, uint16_t port, AvahiStringList *list,
                        AvahiLookupResultFlags flags, void *user)
{
    struct asked *x = user;
    struct mdns *m = x->mdns;

    (void)resolver, (void)interface, (void)protocol, (void)name, (void)type, (void)domain;
    if (event != AVAHI_RESOLVER_FOUND)
        return;
    /* When a name passes to another host, Avahi 0.8 may go on with the address of the former one;
     * a question that begins anew does not. */
    bool moved = x->host[0] && strcmp(x->host, host) != 0;
    snprintf(x->host, sizeof x->host, "%s", host);
    if (moved)
        resolve(x);
    if (moved || flags & AVAHI_LOOKUP_RESULT_OUR_OWN)
        return;
    struct mdns_record r = {.host = host,
                            .family = address->proto == AVAHI_PROTO_INET ? AF_INET : AF_INET6,
                            .port = port,
                            .version = txt(list, "version"),
                            .path = txt(list, "path"),
                            .https = str_is(txt(list, "https"), "1")};
    if (r.family == AF_INET)
        memcpy(&r.address.v4, &address->data.ipv4.address, sizeof r.address.v4);
    else
        memcpy(&r.address.v6, address->data.ipv6.address, sizeof r.address.v6);
    pthread_mutex_lock(&m->lock);
    mdns_list_add(&m->list, &x->key, &r, clock_unix_ms());
    pthread_mutex_unlock(&m->lock);
}

static void drop(struct mdns *m, struct asked **at)
{
    struct asked *x = *at;

    *at = x->next;
    m->asked_count--;
    if (x->resolver)
        avahi_service_resolver_free(x->resolver);
    pthread_mutex_lock(&m->lock);
    mdns_list_remove(&m->list, &x->key);
    pthread_mutex_unlock(&m->lock);
    free(x);
}

static struct asked **find(struct mdns *m, const struct mdns_key *key)
{
    struct asked **at = &m->asked;

    while (*at && ((*at)->key.interface != key->interface || (*at)->key.protocol != key->protocol ||
                   strcmp((*at)->name, key->name) != 0))
        at = &(*at)->next;
    return at;
}

static void resolve(struct asked *x)
{
    if (x->resolver)
        avahi_service_resolver_free(x->resolver);
    x->resolver = avahi_service_resolver_new(x->mdns->client, x->key.interface, x->key.protocol,
                                             x->name, TYPE, x->domain, AVAHI_PROTO_UNSPEC, 0,
                                             on_resolved, x);
}

static void ask(struct mdns *m, const struct mdns_key *key, const char *domain)
{
    struct asked *x;

    if (m->asked_count == MDNS_MOST || strlen(key->name) >= sizeof x->name ||
        strlen(domain) >= sizeof x->domain || !(x = calloc(1, sizeof *x)))
        return;
    x->mdns = m;
    x->key = *key;
    x->key.name = x->name;
    snprintf(x->name, sizeof x->name, "%s", key->name);
    snprintf(x->domain, sizeof x->domain, "%s", domain);
    resolve(x);
    x->next = m->asked;
    m->asked = x;
    m->asked_count++;
}

static void on_browsed(AvahiServiceBrowser *browser, AvahiIfIndex interface, AvahiProtocol protocol,
                       AvahiBrowserEvent event, const char *name, const char *type,
                       const char *domain, AvahiLookupResultFlags flags, void *user)
{
    struct mdns *m = user;
    struct mdns_key key = {interface, protocol, name};
    struct asked **at;

    (void)browser, (void)type, (void)flags;
    switch (event) {
    case AVAHI_BROWSER_NEW:
        at = find(m, &key);
        if (!*at)
            ask(m, &key, domain);
        break;
    case AVAHI_BROWSER_REMOVE:
        at = find(m, &key);
        if (*at)
            drop(m, at);
        break;
    case AVAHI_BROWSER_FAILURE:
        set_available(m, "the Avahi daemon", avahi_strerror(avahi_client_errno(m->client)));
        break;
    case AVAHI_BROWSER_CACHE_EXHAUSTED:
    case AVAHI_BROWSER_ALL_FOR_NOW:
        break;
    }
}

/* ============================== The daemon comes and goes ============================== */

/* Not from a callback of the client's own. */
static void disconnect(struct mdns *m)
{
    while (m->asked)
        drop(m, &m->asked);
    if (m->client)
        avahi_client_free(m->client); /* and its groups and browsers */
    m->client = NULL;
    m->group = NULL;
    m->browser = NULL;
}

static void try_again(struct mdns *m, unsigned after_ms)
{
    struct timeval at;

    avahi_threaded_poll_get(m->poll)->timeout_update(
        m->again, avahi_elapse_time(&at, after_ms, after_ms / 4));
}

static void listen_for_others(struct mdns *m)
{
    if (m->browser)
        return;
    m->browser = avahi_service_browser_new(m->client, AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC, TYPE,
                                           NULL, 0, on_browsed, m);
    if (!m->browser)
        set_available(m, "the Avahi daemon", avahi_strerror(avahi_client_errno(m->client)));
}

static void on_client(AvahiClient *client, AvahiClientState state, void *user)
{
    struct mdns *m = user;

    m->client = client; /* the first call comes before avahi_client_new returns */
    switch (state) {
    case AVAHI_CLIENT_S_RUNNING:
        set_available(m, NULL, NULL);
        set_text(m, m->host, sizeof m->host, avahi_client_get_host_name_fqdn(client));
        announce(m);
        listen_for_others(m);
        break;
    case AVAHI_CLIENT_S_REGISTERING:
    case AVAHI_CLIENT_S_COLLISION: /* the host has another name soon; what was said is void */
        if (m->group)
            avahi_entry_group_reset(m->group);
        set_announced(m, false, "the name of this host is being settled");
        break;
    case AVAHI_CLIENT_CONNECTING:
        set_available(m, "the Avahi daemon", "it does not run");
        break;
    case AVAHI_CLIENT_FAILURE:
        set_available(m, "the Avahi daemon", avahi_strerror(avahi_client_errno(client)));
        try_again(m, 500);
        break;
    }
}

static void connect_again(AvahiTimeout *timeout, void *user)
{
    struct mdns *m = user;
    const AvahiPoll *poll = avahi_threaded_poll_get(m->poll);
    int rc = 0;

    poll->timeout_update(timeout, NULL);
    disconnect(m);
    AvahiClient *client = avahi_client_new(poll, AVAHI_CLIENT_NO_FAIL, on_client, m, &rc);
    if (client) {
        m->client = client;
        return;
    }
    m->client = NULL; /* on_client may have been called before it failed */
    m->group = NULL;
    m->browser = NULL;
    /* A daemon that is away would have been no failure; so its way there is. */
    set_available(m, "D-Bus, by which the Avahi daemon is reached", avahi_strerror(rc));
    try_again(m, RETRY_MS);
}

/* ============================== Doors ============================== */

static void settle_name(struct mdns *m, const char *name)
{
    char host[65] = "", text[200];

    gethostname(host, sizeof host - 1);
    host[strcspn(host, ".")] = 0;
    snprintf(text, sizeof text, "%s%s", name ? name : "Shadow Cauldron on ", name ? "" : host);
    text[MDNS_NAME - 1] = 0;
    err_clean(text); /* also the half of a character that was cut */
    snprintf(m->name, sizeof m->name, "%.*s", MDNS_NAME - 1, text);
}

static void release(struct mdns *m)
{
    if (m->poll)
        avahi_threaded_poll_free(m->poll);
    mdns_list_release(&m->list);
    pthread_mutex_destroy(&m->lock);
    arena_release(&m->arena);
    free(m);
}

static int start(struct mdns *m, struct err *e)
{
    struct timeval now;

    set_available(m, "the Avahi daemon", "it has not been asked yet");
    m->poll = avahi_threaded_poll_new();
    if (m->poll)
        m->again = avahi_threaded_poll_get(m->poll)->timeout_new(
            avahi_threaded_poll_get(m->poll), avahi_elapse_time(&now, 0, 0), connect_again, m);
    if (!m->again || avahi_threaded_poll_start(m->poll))
        return ERR(e, ERR_NOMEM, "cannot start the thread for multicast DNS");
    return 0;
}

int mdns_start(const struct mdns_options *o, struct mdns **out, struct err *e)
{
    struct mdns *m = calloc(1, sizeof *m);

    if (!m)
        return ERR(e, ERR_NOMEM, "no memory for multicast DNS");
    pthread_mutex_init(&m->lock, NULL);
    m->options = *o;
    m->options.version = arena_strdup(&m->arena, o->version);
    m->options.address = o->address ? arena_strdup(&m->arena, o->address) : NULL;
    settle_name(m, o->name);
    if (o->off)
        set_available(m, "multicast DNS", "it is turned off (--mdns off)");
    else if (start(m, e)) {
        release(m);
        return e->code;
    }
    *out = m;
    return 0;
}

void mdns_stop(struct mdns *m)
{
    if (!m)
        return;
    if (!m->options.off) {
        avahi_threaded_poll_stop(m->poll);
        disconnect(m);
        avahi_threaded_poll_get(m->poll)->timeout_free(m->again);
    }
    release(m);
}

void mdns_look(struct mdns *m, struct arena *a, struct mdns_view *out)
{
    pthread_mutex_lock(&m->lock);
    *out = (struct mdns_view){
        .available = m->available,
        .announced = m->announced,
        .detail = m->detail[0] ? arena_strdup(a, m->detail) : NULL,
        .name = arena_strdup(a, m->name),
        .port = m->options.port,
        .host = m->host[0] ? arena_strdup(a, m->host) : NULL,
    };
    out->servers = mdns_list_servers(&m->list, a, &out->count);
    pthread_mutex_unlock(&m->lock);
}
