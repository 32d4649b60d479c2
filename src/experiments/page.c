#include "experiments/page.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void page_bytes(struct page *p, const void *bytes, size_t n)
{
    if (!p->rc)
        p->rc = buf_add(p->out, bytes, n);
}

void page_add(struct page *p, const char *html)
{
    page_bytes(p, html, strlen(html));
}

void page_addf(struct page *p, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof text)
        p->rc = p->rc ? p->rc : ERR_NOMEM;
    else
        page_bytes(p, text, (size_t)n);
}

void page_text(struct page *p, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "&<>\"'");
        page_bytes(p, text, n);
        text += n;
        switch (*text) {
        case '&':
            page_add(p, "&amp;");
            break;
        case '<':
            page_add(p, "&lt;");
            break;
        case '>':
            page_add(p, "&gt;");
            break;
        case '"':
            page_add(p, "&quot;");
            break;
        case '\'':
            page_add(p, "&#39;");
            break;
        default:
            return;
        }
        text++;
    }
}

void page_tag(struct page *p, const char *name, const char *text)
{
    page_addf(p, "<%s>", name);
    page_text(p, text);
    page_addf(p, "</%s>", name);
}

/* "<" stands only inside JSON's strings, where \u003c means the same; so "</script" cannot occur.
 */
void page_json(struct page *p, const char *json)
{
    while (*json) {
        size_t n = strcspn(json, "<");
        page_bytes(p, json, n);
        json += n;
        if (*json == '<') {
            page_add(p, "\\u003c");
            json++;
        }
    }
}

void page_base64(struct page *p, const unsigned char *bytes, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char out[4];

    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        unsigned v = (unsigned)bytes[i] << 16 | (left > 1 ? (unsigned)bytes[i + 1] << 8 : 0) |
                     (left > 2 ? bytes[i + 2] : 0);
        out[0] = digits[v >> 18];
        out[1] = digits[v >> 12 & 63];
        out[2] = left > 1 ? digits[v >> 6 & 63] : '=';
        out[3] = left > 2 ? digits[v & 63] : '=';
        page_bytes(p, out, sizeof out);
    }
}
