#include "base/arena.h"
#include "base/file.h"
#include "ops/sentry.h"

#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FRAMES = 48 };

static int crash_file = -1;
static char crash_head[160];
static size_t crash_head_length;

static void write_all(int fd, const char *text, size_t n)
{
    while (n) {
        ssize_t done = write(fd, text, n);
        if (done <= 0)
            return;
        text += done;
        n -= (size_t)done;
    }
}

static const char *signal_text(int number)
{
    switch (number) {
    case SIGSEGV:
        return "SIGSEGV\n";
    case SIGBUS: /* also: a mapped weight file that was cut short */
        return "SIGBUS\n";
    case SIGFPE:
        return "SIGFPE\n";
    case SIGILL:
        return "SIGILL\n";
    default:
        return "SIGABRT\n";
    }
}

/* Only what signal-safety(7) allows; backtrace was called once before, so that it loads nothing. */
static void crashed(int number)
{
    void *frames[FRAMES];
    const char *name = signal_text(number);

    write_all(crash_file, crash_head, crash_head_length);
    write_all(crash_file, name, strlen(name));
    backtrace_symbols_fd(frames, backtrace(frames, FRAMES), crash_file);
    fsync(crash_file);
    signal(number, SIG_DFL);
    raise(number);
}

int crash_catch(const char *folder, const char *release, struct err *e)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    struct sigaction action = {.sa_handler = crashed, .sa_flags = SA_RESETHAND | SA_ONSTACK};
    struct arena a = {0};
    void *frame;
    int rc = file_make_dirs(folder, e);

    if (rc)
        goto out;
    const char *path = arena_printf(&a, "%s/crash-%d", folder, (int)getpid());
    crash_file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (crash_file < 0) {
        rc = ERR(e, ERR_IO, "cannot write '%s': %m", path);
        goto out;
    }
    int n = snprintf(crash_head, sizeof crash_head, "crash of %s, process %d: ", release,
                     (int)getpid());
    crash_head_length = n < (int)sizeof crash_head ? (size_t)n : sizeof crash_head - 1;
    backtrace(&frame, 1);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
out:
    arena_release(&a);
    return rc;
}
