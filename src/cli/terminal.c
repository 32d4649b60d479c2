#include "cli/terminal.h"

#include "base/clock.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* ============================== The bar ============================== */

static int columns_of(FILE *to)
{
    struct winsize size;
    if (ioctl(fileno(to), TIOCGWINSZ, &size) || size.ws_col < 20)
        return 80;
    return size.ws_col;
}

static void bytes_text(double n, char *out, size_t room)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    size_t u = 0;

    for (; n >= 999.5 && u + 1 < sizeof units / sizeof *units; u++)
        n /= 1000;
    snprintf(out, room, u && n < 9.95 ? "%.1f %s" : "%.0f %s", n, units[u]);
}

static void duration_text(double seconds, char *out, size_t room)
{
    long s = seconds < 0 ? 0 : seconds > 3.6e6 ? 3600000 : (long)(seconds + 0.5);

    if (s < 60)
        snprintf(out, room, "%ld s", s);
    else if (s < 3600)
        snprintf(out, room, "%ld min %02ld s", s / 60, s % 60);
    else
        snprintf(out, room, "%ld h %02ld min", s / 3600, s / 60 % 60);
}

static void speed_text(const struct progress *p, double seconds, char *out, size_t room)
{
    double each = seconds / (double)p->done;
    char rate[32], left[32];

    duration_text(each * (double)(p->total - p->done), left, sizeof left);
    if (strcmp(p->unit, "B") == 0) {
        bytes_text(1 / each, rate, sizeof rate);
        snprintf(out, room, " %s/s, %s left", rate, left);
    } else {
        snprintf(out, room, each < 10 ? " %.1f s/%s, %s left" : " %.0f s/%s, %s left", each,
                 p->unit, left);
    }
}

void progress_text(const struct progress *p, double seconds, int columns, char *out, size_t room)
{
    char head[64], tail[96] = "", bar[41];
    double share = p->total > 0 ? (double)p->done / (double)p->total : 0;
    bool bytes = strcmp(p->unit, "B") == 0;

    if (bytes) {
        char done[16], total[16];
        bytes_text((double)p->done, done, sizeof done);
        bytes_text((double)p->total, total, sizeof total);
        snprintf(head, sizeof head, "%s of %s ", done, total);
    } else {
        snprintf(head, sizeof head, "%s %lld/%lld ", p->unit, (long long)p->done,
                 (long long)p->total);
    }
    if (p->done > 0 && seconds > 0)
        speed_text(p, seconds, tail, sizeof tail);

    int width = columns - 1 - (int)strlen(head) - (int)strlen(tail) - 2;
    width = width > (int)sizeof bar - 1 ? (int)sizeof bar - 1 : width < 0 ? 0 : width;
    int filled = (int)(share * width);
    memset(bar, ' ', (size_t)width);
    memset(bar, '=', (size_t)filled);
    if (filled > 0 && filled < width)
        bar[filled - 1] = '>';
    bar[width] = 0;
    int n = snprintf(out, room, "%s[%s]%s", head, bar, tail);
    if (n >= columns && columns > 0 && (size_t)columns <= room)
        out[columns - 1] = 0;
}

static void draw(struct progress *p, double t)
{
    char text[512];

    progress_text(p, t - p->started, columns_of(p->to), text, sizeof text);
    fprintf(p->to, "\r%s\x1b[K", text);
    fflush(p->to);
    p->drawn = t;
}

void progress_start(struct progress *p, const char *unit, int64_t total)
{
    const char *term = getenv("TERM");
    bool dumb = term && strcmp(term, "dumb") == 0;

    *p = (struct progress){.unit = unit, .total = total, .started = clock_seconds()};
    p->to = isatty(STDERR_FILENO) && !dumb ? stderr : NULL;
    if (p->to)
        draw(p, p->started);
}

void progress_set(struct progress *p, int64_t done)
{
    p->done = done;
    if (!p->to)
        return;
    double t = clock_seconds();
    if (t - p->drawn >= 0.1 || done >= p->total)
        draw(p, t);
}

void progress_end(struct progress *p)
{
    if (p->to)
        fputs("\r\x1b[K", p->to);
    p->to = NULL;
}

/* ============================== Signals ============================== */

static atomic_int caught; /* the signal's number; 0: none yet */

static void on_signal(int number)
{
    atomic_store(&caught, number);
}

void interrupt_catch(void)
{
    /* SA_RESETHAND: the second signal finds the default action. No SA_RESTART: a blocking read
     * returns, and the loop around it sees the flag. */
    struct sigaction a = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    sigemptyset(&a.sa_mask);
    sigaction(SIGINT, &a, NULL);
    sigaction(SIGTERM, &a, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
}

bool interrupted(void)
{
    return atomic_load(&caught) != 0;
}

int interrupt_status(void)
{
    return 128 + atomic_load(&caught);
}
