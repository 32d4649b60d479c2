/*
 * err.h: how a function says what went wrong.
 *
 *   int load(const char *path, struct thing *out, struct err *e)
 *   {
 *       if (!path[0])
 *           return ERR(e, ERR_ARG, "no path given");
 *       ...
 *       return 0;
 *   }
 *
 * A function that can fail returns 0 or a negative enum err_code, fills the caller's struct err and
 * leaves its outputs untouched. Messages are one line, lower case, without a full stop: what,
 * where, what to do. Threads: a struct err belongs to one thread; nothing is shared.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#define WARN_UNUSED_RESULT      __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, rest) __attribute__((format(printf, text, rest)))

enum err_code {
    ERR_ARG = -1,         /* the caller (or user) asked for something impossible */
    ERR_IO = -2,          /* reading or writing failed */
    ERR_FORMAT = -3,      /* a file or message is broken or hostile */
    ERR_UNSUPPORTED = -4, /* legal, but not something this program does */
    ERR_NOT_FOUND = -5,
    ERR_NOMEM = -6, /* a size that comes from a user could not be had */
    ERR_CANCELLED = -7,
    ERR_NETWORK = -8,  /* a peer could not be reached or broke off: worth another try */
    ERR_CONFLICT = -9, /* it is there already, or has changed meanwhile */
    ERR_DENIED = -10,  /* who asks may not */
};

struct err {
    enum err_code code;
    const char *file; /* where it was found, for logs */
    int line;
    char message[1024];
};

/* Fill e and return code. The message is cut at the size of the field, and cleaned. */
int err_set(struct err *e, enum err_code code, const char *file, int line, const char *format, ...)
    PRINTF_LIKE(5, 6);

/* Put "prefix: " before the message already in e; returns its code. */
int err_prefix(struct err *e, const char *format, ...) PRINTF_LIKE(2, 3);

/* "not_found", ...: a code as a word, for programs; "unknown" for what is none. */
const char *err_name(int code);

/* Texts from files and users end up in messages: keep them on one line, away from terminals' escape
 * sequences, and fit for JSON. Control characters and whatever is not UTF-8 (also the half of a
 * character that was cut) become '?'. */
void err_clean(char *text);

#define ERR(e, code, ...) err_visible((code), err_set((e), (code), __FILE__, __LINE__, __VA_ARGS__))

/* Compilers and analysers see from this that an ERR is never 0, so that outputs behind one are not
 * used. */
static inline int err_visible(enum err_code code, int same)
{
    (void)same;
    return code;
}

#endif
