/* Any bytes as a form: the first line is the Content-Type, the rest the body. Refused, or parts
 * that lie within the body. */
#include "fuzz.h"

#include "server/form.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const char *text = (const char *)bytes, *end = n ? memchr(text, '\n', n) : NULL;
    struct arena a = {0};
    struct form_part *parts;
    struct str boundary;
    struct err e;
    size_t count;

    if (!end)
        return 0;
    const char *type = arena_str(&a, (struct str){text, (size_t)(end - text)});
    struct str body = {end + 1, n - (size_t)(end + 1 - text)};
    if (form_boundary(&a, type, &boundary, &e) == 0 &&
        form_multipart(&a, body, boundary, &parts, &count, &e) == 0)
        for (size_t i = 0; i < count; i++)
            if (!parts[i].name || parts[i].value.p < body.p ||
                parts[i].value.p + parts[i].value.n > body.p + body.n)
                abort();
    if (form_urlencoded(&a, body, &parts, &count, &e) == 0)
        for (size_t i = 0; i < count; i++)
            if (strlen(parts[i].name) > n || parts[i].value.n > n)
                abort();
    arena_release(&a);
    return 0;
}
