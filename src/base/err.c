#include "base/err.h"

#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void err_clean(char *text)
{
    struct str rest = str_from(text);

    while (rest.n) {
        size_t n = str_character(rest);
        if (!n || (unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
        n = n ? n : 1;
        text += n;
        rest = (struct str){text, rest.n - n};
    }
}

int err_set(struct err *e, enum err_code code, const char *file, int line, const char *format, ...)
{
    va_list args;

    e->code = code;
    e->file = file;
    e->line = line;
    va_start(args, format);
    vsnprintf(e->message, sizeof e->message, format, args);
    va_end(args);
    err_clean(e->message);
    return code;
}

int err_prefix(struct err *e, const char *format, ...)
{
    char text[2 * sizeof e->message];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t n = strlen(text);
    if (n + 2 < sizeof text)
        snprintf(text + n, sizeof text - n, ": %s", e->message);
    memcpy(e->message, text, sizeof e->message - 1);
    e->message[sizeof e->message - 1] = 0;
    err_clean(e->message);
    return e->code;
}

const char *err_name(int code)
{
    static const char *const names[] = {
        [-ERR_ARG] = "argument",        [-ERR_IO] = "io",
        [-ERR_FORMAT] = "format",       [-ERR_UNSUPPORTED] = "unsupported",
        [-ERR_NOT_FOUND] = "not_found", [-ERR_NOMEM] = "memory",
        [-ERR_CANCELLED] = "cancelled", [-ERR_NETWORK] = "network",
        [-ERR_CONFLICT] = "conflict",   [-ERR_DENIED] = "denied",
    };
    size_t i = (size_t)-(long)code;

    return code < 0 && i < sizeof names / sizeof *names && names[i] ? names[i] : "unknown";
}
