/*
 * How many requests a second the HTTP server answers: a small JSON object, one made by 100 rows,
 * and a file, over loopback with keep-alive connections.
 *
 *   bench_http [seconds] [connections] [workers] [event threads]
 *
 * The clients are threads of this program (one for each 16 connections, each with one request in
 * flight), so that they and the server share the processors; with --serve it only serves, for wrk.
 */
#include "server/http.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FILE_BYTES = 100 << 10, MOST_SAMPLES = 4 << 20, EACH = 16 };

static char file_name[] = "/tmp/bench-http-XXXXXX";

static int hello(struct request *r, struct response *w, struct err *e)
{
    (void)r;
    (void)e;
    return respond_json(w, 200, json_pack("{s:s}", "hello", "world"));
}

static int rows(struct request *r, struct response *w, struct err *e)
{
    json_t *list = json_array();

    (void)r;
    (void)e;
    for (int i = 0; i < 100; i++)
        json_array_append_new(list, json_pack("{s:i, s:s, s:s, s:f}", "id", i, "prompt",
                                              "a red circle left of a blue square", "status",
                                              "succeeded", "seconds", 1.25));
    return respond_json(w, 200, json_pack("{s:o}", "items", list));
}

static int picture(struct request *r, struct response *w, struct err *e)
{
    (void)r;
    (void)e;
    return respond_file(w, open(file_name, O_RDONLY | O_CLOEXEC), "image/png", "\"1\"", 3600);
}

static const struct route routes[] = {
    {"GET", "/hello", "hello", .handle = hello},
    {"GET", "/rows", "rows", .handle = rows},
    {"GET", "/picture", "picture", .handle = picture},
};

/* ==== clients ==== */

struct client {
    int port, connections;
    const char *path;
    double until;
    double *times;
    size_t count, most;
    pthread_t thread;
};

static int dial(int port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof sa)) {
        perror("connect");
        exit(1);
    }
    return fd;
}

/* One connection's answer so far: 1 when it is complete, -1 when it is not a 200. */
static int more(int fd, char *buffer, size_t room, size_t *have, size_t *body_left)
{
    ssize_t n = recv(fd, buffer + *have, *body_left ? room : room - *have - 1, 0);

    if (n <= 0)
        return -1;
    if (*body_left) {
        *body_left -= (size_t)n;
        return *body_left == 0;
    }
    *have += (size_t)n;
    buffer[*have] = 0;
    char *end = strstr(buffer, "\r\n\r\n"), *length = strstr(buffer, "Content-Length: ");
    if (!end)
        return 0;
    if (strncmp(buffer, "HTTP/1.1 200 ", 13) != 0 || !length)
        return -1;
    *body_left = strtoul(length + 16, NULL, 10) - (*have - (size_t)(end + 4 - buffer));
    *have = 0;
    return *body_left == 0;
}

static void *run_client(void *user)
{
    struct client *c = user;
    static const size_t room = 65536;
    char request[200], *buffers = malloc(EACH * room);
    struct pollfd polls[EACH];
    size_t have[EACH] = {0}, left[EACH] = {0};
    double began[EACH];
    int n =
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", c->path);

    for (int i = 0; i < c->connections; i++) {
        polls[i] = (struct pollfd){.fd = dial(c->port), .events = POLLIN};
        began[i] = clock_seconds();
        send(polls[i].fd, request, (size_t)n, 0);
    }
    while (clock_seconds() < c->until) {
        poll(polls, (nfds_t)c->connections, 100);
        for (int i = 0; i < c->connections; i++) {
            if (!polls[i].revents)
                continue;
            int done = more(polls[i].fd, buffers + (size_t)i * room, room, &have[i], &left[i]);
            if (done < 0) {
                fprintf(stderr, "%s: not answered with 200\n", c->path);
                exit(1);
            }
            if (!done)
                continue;
            double now = clock_seconds();
            if (c->count < c->most)
                c->times[c->count++] = now - began[i];
            began[i] = now;
            send(polls[i].fd, request, (size_t)n, 0);
        }
    }
    for (int i = 0; i < c->connections; i++)
        close(polls[i].fd);
    free(buffers);
    return NULL;
}

static int by_time(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(int port, const char *path, double seconds, int connections)
{
    int threads = (connections + EACH - 1) / EACH;
    struct client *clients = calloc((size_t)threads, sizeof *clients);
    double *times = malloc(MOST_SAMPLES * sizeof *times);
    size_t most = MOST_SAMPLES / (size_t)threads, total = 0;

    if (!clients || !times)
        abort();
    for (int i = 0; i < threads; i++) {
        int mine = connections - i * EACH < EACH ? connections - i * EACH : EACH;
        clients[i] = (struct client){.port = port,
                                     .connections = mine,
                                     .path = path,
                                     .until = clock_seconds() + seconds,
                                     .times = times + (size_t)i * most,
                                     .most = most};
        pthread_create(&clients[i].thread, NULL, run_client, &clients[i]);
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(clients[i].thread, NULL);
        memmove(times + total, clients[i].times, clients[i].count * sizeof *times);
        total += clients[i].count;
    }
    qsort(times, total, sizeof *times, by_time);
    if (total)
        printf("%-9s %9.0f requests/s   p50 %6.2f ms   p99 %6.2f ms   most %6.2f ms\n", path,
               (double)total / seconds, 1e3 * times[total / 2], 1e3 * times[total * 99 / 100],
               1e3 * times[total - 1]);
    free(times);
    free(clients);
}

static bool make_file(void)
{
    char block[1024];
    int fd = mkstemp(file_name);

    if (fd < 0)
        return false;
    memset(block, 'x', sizeof block);
    for (int i = 0; i < FILE_BYTES / 1024; i++)
        if (write(fd, block, sizeof block) != sizeof block)
            return false;
    return close(fd) == 0;
}

int main(int argc, char **argv)
{
    bool serve = argc > 1 && strcmp(argv[1], "--serve") == 0;
    double seconds = argc > 1 && !serve ? strtod(argv[1], NULL) : 3;
    int connections = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 32;
    struct http_options o = http_options();
    struct http_server *server;
    struct err e;

    o.routes = routes;
    o.route_count = sizeof routes / sizeof *routes;
    o.max_connections_per_address = 0;
    o.workers = argc > 3 ? (int)strtol(argv[3], NULL, 10) : o.workers;
    o.event_threads = argc > 4 ? (int)strtol(argv[4], NULL, 10) : o.event_threads;
    if (!make_file() || connections < 1 || http_start(&o, &server, &e)) {
        fprintf(stderr, "cannot start\n");
        return 1;
    }
    if (serve) {
        printf("http://127.0.0.1:%d/hello, /rows, /picture; Enter ends it\n", http_port(server));
        getchar();
    } else {
        printf("%d connections, %d workers, %d event threads\n", connections, o.workers,
               o.event_threads);
        for (size_t i = 0; i < o.route_count; i++)
            measure(http_port(server), routes[i].path, seconds, connections);
    }
    http_stop(server, 1);
    unlink(file_name);
    return 0;
}
