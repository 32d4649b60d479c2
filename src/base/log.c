#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 16 << 10 };

static struct log_options sink = {.level = LOG_OFF};
static _Thread_local struct log_context here;

static const char *const names[] = {"debug", "info", "warning", "error", "off"};

void log_open(const struct log_options *o)
{
    sink = *o;
}

bool log_enabled(enum log_level level)
{
    return level >= sink.level && level < LOG_OFF;
}

struct log_context log_enter(struct log_context context)
{
    struct log_context former = here;

    here = context;
    return former;
}

void log_leave(struct log_context former)
{
    here = former;
}

struct log_context log_here(void)
{
    return here;
}

bool log_level_by_name(const char *name, enum log_level *out)
{
    for (int i = 0; i <= LOG_OFF; i++)
        if (strcmp(names[i], name) == 0) {
            *out = (enum log_level)i;
            return true;
        }
    return false;
}

/* A JSON string: quotes, backslashes and control characters escaped; the rest is taken as UTF-8. */
static int add_quoted(struct buf *b, const char *text)
{
    int rc = buf_add(b, "\"", 1);

    for (const char *p = text; *p && rc == 0; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '"' || c == '\\')
            rc = buf_addf(b, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            rc = buf_addf(b, "\\u%04x", c);
        else
            rc = buf_add(b, p, 1);
    }
    return rc ? rc : buf_add(b, "\"", 1);
}

static int add_field(struct buf *b, const struct log_field *f)
{
    if (sink.json) {
        if (buf_add(b, ",", 1) || add_quoted(b, f->name) || buf_add(b, ":", 1))
            return -1;
    } else if (buf_addf(b, " %s=", f->name)) {
        return -1;
    }
    if (f->text)
        return add_quoted(b, f->text);
    return isfinite(f->number) ? buf_addf(b, "%.10g", f->number) : buf_addf(b, "null");
}

static int add_line(struct buf *b, enum log_level level, const char *event,
                    const struct log_field *fields)
{
    const struct log_field context[] = {LOG_TEXT("request_id", here.request_id),
                                        LOG_TEXT("trace_id", here.trace_id),
                                        LOG_TEXT("job", here.job), LOG_TEXT("user", here.user)};
    char now[CLOCK_TEXT];
    int rc;

    clock_format(clock_unix_ms(), now);
    if (sink.json)
        rc = buf_addf(b, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":", now, names[level]) ||
             add_quoted(b, event);
    else
        rc = buf_addf(b, "%s %-7s %s", now, names[level], event);
    for (size_t i = 0; i < sizeof context / sizeof *context && rc == 0; i++)
        if (context[i].text[0])
            rc = add_field(b, &context[i]);
    for (const struct log_field *f = fields; f->name && rc == 0; f++)
        rc = add_field(b, f);
    return rc ? rc : buf_addf(b, sink.json ? "}\n" : "\n");
}

void log_write(enum log_level level, const char *event, const struct log_field *fields)
{
    struct buf b;

    if (!log_enabled(level))
        return;
    buf_init(&b, LINE);
    if (add_line(&b, level, event, fields)) {
        b.n = 0;
        if (buf_addf(&b, "%.100s: a line was longer than %d bytes\n", event, LINE))
            b.n = 0;
    }
    flockfile(sink.file);
    fwrite(b.p, 1, b.n, sink.file);
    fflush(sink.file);
    funlockfile(sink.file);
    buf_release(&b);
}
