#include "image/xmp.h"

#include "image/text.h"

#include <string.h>

#define OPEN  "<cauldron:recipe>"
#define CLOSE "</cauldron:recipe>"

static const char head[] =
    "<?xpacket begin=\"\xef\xbb\xbf\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>"
    "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">"
    "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">"
    "<rdf:Description rdf:about=\"\" xmlns:cauldron=\"urn:shadow-cauldron:recipe\">" OPEN;
static const char tail[] = CLOSE "</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end=\"w\"?>";

static const struct {
    char c;
    const char *entity;
} escapes[] = {{'&', "&amp;"},  {'<', "&lt;"},   {'>', "&gt;"},
               {'\r', "&#13;"}, {'"', "&quot;"}, {'\'', "&apos;"}};
enum { ESCAPES = sizeof escapes / sizeof escapes[0], WRITTEN = 4 };

int xmp_write(struct buf *out, const char *recipe)
{
    if (buf_add(out, head, sizeof head - 1))
        return ERR_NOMEM;
    for (const char *p = recipe; *p; p++) {
        int i = 0;
        while (i < WRITTEN && escapes[i].c != *p)
            i++;
        const char *text = i < WRITTEN ? escapes[i].entity : p;
        if (buf_add(out, text, i < WRITTEN ? strlen(text) : 1))
            return ERR_NOMEM;
    }
    return buf_add(out, tail, sizeof tail - 1);
}

char *xmp_read(const unsigned char *bytes, size_t n)
{
    const char *p = memmem(bytes, n, OPEN, strlen(OPEN)), *end = NULL;
    struct buf b;

    if (p) {
        p += strlen(OPEN);
        end = memmem(p, n - (size_t)(p - (const char *)bytes), CLOSE, strlen(CLOSE));
    }
    if (!end || !text_is_utf8(p, (size_t)(end - p)))
        return NULL;
    buf_init(&b, TEXT_MAX);
    while (p < end) {
        size_t used = 1;
        char c = *p;
        for (int i = 0; c == '&' && used == 1 && i < ESCAPES; i++) {
            size_t length = strlen(escapes[i].entity);
            if (length <= (size_t)(end - p) && !memcmp(p, escapes[i].entity, length)) {
                c = escapes[i].c;
                used = length;
            }
        }
        if (buf_add(&b, &c, 1)) {
            buf_release(&b);
            return NULL;
        }
        p += used;
    }
    return buf_take(&b);
}
