/*
 * terminal.h: progress for people, and ending cleanly when they press ^C.
 *
 *   interrupt_catch();
 *   struct progress bar;
 *   progress_start(&bar, "step", 20);
 *   for (int i = 0; i < 20 && !interrupted(); i++) {
 *       ... one step ...
 *       progress_set(&bar, i + 1);
 *   }
 *   progress_end(&bar);
 *   if (interrupted())
 *       return interrupt_status();         what is half done has been taken back
 *
 * The bar goes to stderr, only when that is a terminal: `step 5/20 [=====>    ] 1.2 s/step, 18 s
 * left`. Threads: a bar belongs to one thread; interrupted() may be called from any. Signals are
 * the process's own, so the flag is the one piece of global state, and it lives in the command
 * line.
 */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct progress {
    const char *unit; /* "step"; "B": bytes, shown as a rate */
    int64_t total, done;
    FILE *to; /* NULL: nobody is looking */
    double started, drawn;
};

void progress_start(struct progress *p, const char *unit, int64_t total);
/* Redraws at most ten times a second, and always when done reaches total. */
void progress_set(struct progress *p, int64_t done);
/* Wipe the bar, so that what comes next starts on a clean line. */
void progress_end(struct progress *p);
/* The bar's text `seconds` after the start, at most `columns` wide. */
void progress_text(const struct progress *p, double seconds, int columns, char *out, size_t room);

/* From now on SIGINT and SIGTERM set a flag; a second one ends the process at once. SIGPIPE is
 * ignored: a closed pipe is a write error. */
void interrupt_catch(void);
bool interrupted(void);
/* The exit status of a command that was interrupted: 128 + the signal, as shells expect. */
int interrupt_status(void);

#endif
