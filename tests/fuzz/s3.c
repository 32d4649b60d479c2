/* What S3 answers, as XML. Paths that are told have names between their slashes, and texts end. */
#include "fuzz.h"

#include "objects/s3_xml.h"

#include <stdlib.h>
#include <string.h>

static int on(void *user, const char *path, const char *text, struct err *e)
{
    int *calls = user;

    (void)e;
    if (!path[0] || path[0] == '/' || path[strlen(path) - 1] == '/' || strstr(path, "//") ||
        strlen(path) > 2048 || strlen(text) > 8192)
        abort();
    return ++*calls > 100000;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct err e;
    int calls = 0;

    if (xml_read((struct str){(const char *)bytes, n}, on, &calls, &e) == 0 && !calls)
        abort(); /* an element at least */
    return 0;
}
