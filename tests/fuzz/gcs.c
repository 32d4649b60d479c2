/* What a storage service says of an object: nothing that is not one of that name is taken. */
#include "fuzz.h"

#include "objects/gcs_inside.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct arena a = {0};
    struct object_info info = {0};
    struct net_answer answer = {.status = 400, .headers = ""};
    struct err e;
    char *text = arena_str(&a, (struct str){(const char *)bytes, n});

    if (gcs_read_info((struct str){text, n}, "a/b", &a, &info, &e) == 0 &&
        (info.size < 0 || strlen(info.crc32c) % 8 || strlen(info.md5) % 24 ||
         (info.version && info.version[strspn(info.version, "0123456789")])))
        abort();
    answer.body = (struct str){text, n};
    if (gcs_refused(&e, "store", "a/b", &answer) == 0 || strlen(e.message) > 600)
        abort();
    arena_release(&a);
    return 0;
}
