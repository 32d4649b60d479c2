/*
 * Connections from accept to close: how many there may be, and how long each may take for what it
 * does. libmicrohttpd's own timeout starts again with every byte, so that somebody who sends one
 * now and then keeps a connection for ever; here, headers, bodies and answers have a time by which
 * they must be through, whatever comes meanwhile. When it is over the socket is shut down, which
 * libmicrohttpd sees as the end of the connection.
 */
#include "server/exchange.h"

#include "base/clock.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

/* Into the list; false when there are too many. */
static bool count(struct connection *c)
{
    struct http_server *s = c->server;

    if (!address_listed(&s->proxies, &c->peer) &&
        !(c->account = limits_connect(s->limits, &c->peer)))
        return false;
    pthread_mutex_lock(&s->lock);
    bool room = s->open < s->o.max_connections && !s->stopping;
    if (room) {
        s->open++;
        c->next = s->connections;
        c->link = &s->connections;
        if (c->next)
            c->next->link = &c->next;
        s->connections = c;
    }
    pthread_mutex_unlock(&s->lock);
    if (!room && c->account)
        limits_disconnect(s->limits, c->account);
    return room;
}

void connection_forget(struct connection *c)
{
    struct http_server *s = c->server;

    pthread_mutex_lock(&s->lock);
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    s->open--;
    pthread_mutex_unlock(&s->lock);
    if (c->account)
        limits_disconnect(s->limits, c->account);
    free(c);
}

/* A peer that vanished (no power, no network) is noticed within two minutes, also by those who only
 * wait: streams, long polls, WebSockets. */
static void notice_death(int fd)
{
    int on = 1, seconds = 60, interval = 15, ms = 120 * 1000;

    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
}

void on_connection(void *user, struct MHD_Connection *mhd, void **context,
                   enum MHD_ConnectionNotificationCode what)
{
    struct http_server *s = user;
    struct connection *c = *context;

    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (c)
            connection_forget(c);
        *context = NULL;
        return;
    }
    int fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    const struct sockaddr *sa =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
    c = calloc(1, sizeof *c);
    if (c) {
        c->server = s;
        c->fd = fd;
        c->deadline = clock_seconds() + s->o.header_seconds;
    }
    if (!c || !address_of(sa, &c->peer) || !count(c)) {
        free(c);
        shutdown(fd, SHUT_RDWR);
        return;
    }
    notice_death(fd);
    *context = c;
}

void on_tick(void *user)
{
    struct http_server *s = user;
    double now = clock_seconds();

    pthread_mutex_lock(&s->lock);
    for (struct connection *c = s->connections; c; c = c->next) {
        double deadline = c->deadline;
        if ((deadline > 0 && deadline < now) || (s->stopping && c->idle)) {
            c->deadline = 0;
            shutdown(c->fd, SHUT_RDWR);
        }
    }
    pthread_mutex_unlock(&s->lock);
    if (now > s->swept + 1) {
        limits_sweep(s->limits, now);
        s->swept = now;
    }
}
