/*
 * bench_sockets.c: how soon an event reaches everyone in a room.
 *
 *   bench_sockets [clients N] [rate N] [seconds N] [busy N] [bytes N]
 *
 * A child process plays the clients over WebSockets (500), this one is the server and emits an
 * event of `bytes` (300) `rate` times a second (10) into one room, for `seconds` (20), while `busy`
 * threads (1) burn a core each. Each event carries the time of its emission; latencies are from the
 * call of socketio_emit to the client's read.
 */
#include "base/clock.h"
#include "base/str.h"
#include "server/http.h"
#include "server/socketio.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t clients = 500, rate = 10, seconds = 20, busy = 1, bytes = 300;

static void give_up(const char *what)
{
    perror(what);
    exit(1);
}

/* ==== the clients' process ==== */

struct client {
    int fd;
    size_t n;
    char buffer[1 << 16];
};

static double *latencies;
static size_t latency_count, latency_room;

static void send_all(int fd, const char *text, size_t n)
{
    if (send(fd, text, n, MSG_NOSIGNAL) != (ssize_t)n)
        give_up("send");
}

/* Masked with zeros, which leave the bytes as they are. */
static void send_packet(int fd, const char *packet)
{
    char frame[64];
    size_t n = strlen(packet);

    frame[0] = (char)0x81;
    frame[1] = (char)(0x80 | n);
    memset(frame + 2, 0, 4);
    memcpy(frame + 6, packet, n);
    send_all(fd, frame, n + 6);
}

static void take_packet(struct client *c, const char *p, size_t n)
{
    static const char event[] = "42[\"tick\",";
    double now = clock_seconds();

    if (n == 1 && p[0] == '2') {
        send_packet(c->fd, "3");
    } else if (n > sizeof(event) && memcmp(p, event, sizeof(event) - 1) == 0) {
        double sent = strtod(p + sizeof(event) - 1, NULL);
        if (latency_count < latency_room)
            latencies[latency_count++] = now - sent;
    }
}

/* Frames of a server; those of this test have at most 65535 bytes. */
static void take_frames(struct client *c)
{
    size_t at = 0;

    while (c->n - at >= 2) {
        const unsigned char *p = (const unsigned char *)c->buffer + at;
        size_t header = p[1] == 126 ? 4 : 2;
        size_t length = p[1] == 126 && c->n - at >= 4 ? (size_t)p[2] << 8 | p[3] : p[1];
        if (c->n - at < header || c->n - at - header < length)
            break;
        take_packet(c, c->buffer + at + header, length);
        at += header + length;
    }
    memmove(c->buffer, c->buffer + at, c->n - at);
    c->n -= at;
}

static void connect_client(struct client *c, int port)
{
    static const char request[] = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
                                  "Host: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                  "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                                  "Sec-WebSocket-Version: 13\r\n\r\n";
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof(to)))
        give_up("connect");
    send_all(c->fd, request, sizeof(request) - 1);
    for (char *end = NULL; !end;) {
        ssize_t got = recv(c->fd, c->buffer + c->n, sizeof(c->buffer) - 1 - c->n, 0);
        if (got <= 0)
            give_up("handshake");
        c->n += (size_t)got;
        c->buffer[c->n] = '\0';
        end = strstr(c->buffer, "\r\n\r\n");
        if (end) {
            c->n -= (size_t)(end + 4 - c->buffer);
            memmove(c->buffer, end + 4, c->n);
        }
    }
    send_packet(c->fd, "40");
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void report(void)
{
    double expected = (double)(clients * rate * seconds);

    qsort(latencies, latency_count, sizeof(*latencies), compare);
    if (!latency_count)
        return;
    printf("%zu of %.0f deliveries; latency in ms: p50 %.2f, p90 %.2f, p99 %.2f, p99.9 %.2f, "
           "most %.2f\n",
           latency_count, expected, latencies[latency_count / 2] * 1e3,
           latencies[latency_count * 9 / 10] * 1e3, latencies[latency_count * 99 / 100] * 1e3,
           latencies[latency_count * 999 / 1000] * 1e3, latencies[latency_count - 1] * 1e3);
}

static void play_clients(int port)
{
    struct client *all = calloc((size_t)clients, sizeof(*all));
    int epoll = epoll_create1(0);
    int64_t open = clients;

    latency_room = (size_t)(clients * (rate * seconds + 10));
    latencies = malloc(latency_room * sizeof(*latencies));
    if (!all || !latencies || epoll < 0)
        give_up("clients");
    for (int64_t i = 0; i < clients; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
        connect_client(&all[i], port);
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &event))
            give_up("epoll");
    }
    while (open) {
        struct epoll_event events[64];
        int count = epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < count; i++) {
            struct client *c = events[i].data.ptr;
            ssize_t got = recv(c->fd, c->buffer + c->n, sizeof(c->buffer) - c->n, 0);
            if (got <= 0) {
                close(c->fd);
                open--;
                continue;
            }
            c->n += (size_t)got;
            take_frames(c);
        }
    }
    report();
    free(all);
    free(latencies);
}

/* ==== the server's process ==== */

static int join(void *user, struct socket *s, const json_t *auth, struct identity *identity,
                struct err *e)
{
    (void)user;
    (void)auth;
    (void)identity;
    return socket_join(s, "experiment", e);
}

static int identify(struct request *r, struct identity *out, struct err *e)
{
    (void)r;
    (void)out;
    (void)e;
    return 0;
}

static atomic_bool burning = true;

static double processor_seconds(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Fills in what it used. */
static void *burn(void *used)
{
    volatile double x = 1;

    while (atomic_load_explicit(&burning, memory_order_relaxed))
        x = x * 1.0000001;
    *(double *)used = processor_seconds(CLOCK_THREAD_CPUTIME_ID);
    return NULL;
}

static void emit_ticks(struct socketio *io)
{
    char *text = malloc((size_t)bytes + 64);
    double start = clock_seconds();

    if (!text)
        give_up("malloc");
    for (int64_t i = 0; i < rate * seconds; i++) {
        double due = start + (double)i / (double)rate, rest = due - clock_seconds();
        if (rest > 0)
            usleep((useconds_t)(rest * 1e6));
        int n = snprintf(text, 64, "[%.7f,\"", clock_seconds());
        memset(text + n, 'x', (size_t)bytes);
        memcpy(text + n + bytes, "\"]", 3);
        socketio_emit(io, "/", "experiment", "tick", text, NULL, EMIT_RELIABLE);
    }
    free(text);
}

/* Resident memory in KiB. */
static long resident(void)
{
    char text[128] = "";
    FILE *file = fopen("/proc/self/statm", "r");

    if (file && !fgets(text, sizeof(text), file))
        text[0] = '\0';
    if (file)
        fclose(file);
    const char *second = strchr(text, ' ');
    return second ? strtol(second, NULL, 10) * (sysconf(_SC_PAGESIZE) / 1024) : 0;
}

static int serve(int port_pipe)
{
    struct socketio_options so = socketio_options();
    struct http_options ho = http_options();
    struct socketio_stats stats = {0};
    struct http_server *server;
    struct socketio *io;
    pthread_t burners[64];
    double burnt[64], used;
    struct err e;

    so.on_connect = join;
    ho.identify = identify;
    ho.max_connections = ho.max_connections_per_address = (int)clients + 10;
    ho.requests_per_second_per_address = 0;
    if (socketio_start(&so, &io, &e))
        goto failed;
    ho.sockets = io;
    if (http_start(&ho, &server, &e))
        goto failed;
    int port = http_port(server);
    long memory = -resident();
    if (write(port_pipe, &port, sizeof(port)) != sizeof(port))
        give_up("pipe");
    while (stats.sockets < clients) {
        usleep(10000);
        socketio_stats(io, &stats);
    }
    memory += resident();
    used = -processor_seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (int64_t i = 0; i < busy; i++)
        if (pthread_create(&burners[i], NULL, burn, &burnt[i]))
            give_up("thread");
    emit_ticks(io);
    sleep(1);
    atomic_store(&burning, false);
    used += processor_seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (int64_t i = 0; i < busy; i++) {
        pthread_join(burners[i], NULL);
        used -= burnt[i];
    }
    printf("%d sockets of %.1f KiB, %lld ticks a second of %lld bytes, %lld cores busy; the server "
           "used %.2f s of processor beside them in %lld s\n",
           stats.sockets, (double)memory / stats.sockets, (long long)rate, (long long)bytes,
           (long long)busy, used, (long long)seconds);
    fflush(stdout);
    socketio_stop(io);
    http_stop(server, 5);
    socketio_free(io);
    return 0;
failed:
    fprintf(stderr, "%s\n", e.message);
    return 1;
}

int main(int argc, char **argv)
{
    struct {
        const char *name;
        int64_t *value;
    } options[] = {{"clients", &clients},
                   {"rate", &rate},
                   {"seconds", &seconds},
                   {"busy", &busy},
                   {"bytes", &bytes}};
    int ports[2], port;

    for (int i = 1; i + 1 < argc; i += 2)
        for (size_t k = 0; k < sizeof(options) / sizeof(*options); k++)
            if (strcmp(argv[i], options[k].name) == 0)
                str_to_i64(str_from(argv[i + 1]), options[k].value);
    if (busy > 64 || bytes > 60000 || clients < 1 || pipe(ports))
        give_up("options");
    pid_t child = fork();
    if (child < 0)
        give_up("fork");
    if (child == 0) {
        if (read(ports[0], &port, sizeof(port)) != sizeof(port))
            give_up("pipe");
        play_clients(port);
        return 0;
    }
    int rc = serve(ports[1]);
    if (rc)
        kill(child, SIGTERM);
    waitpid(child, NULL, 0);
    return rc;
}
