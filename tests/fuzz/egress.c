/* A list of hosts, and after a line end the host that is asked for, or a URL. What is written in
 * the list as it is asked for is allowed. */
#include "fuzz.h"

#include "base/arena.h"
#include "net/http.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct arena a = {0};
    struct str rest = {(const char *)bytes, n}, line = STR("");
    struct net_url url;
    struct egress *x;
    struct err e;

    str_cut(&rest, '\n', &line);
    const char *list = arena_str(&a, line), *asked = arena_str(&a, rest);
    if (egress_new(list, &x, &e) == 0) {
        int denied = egress_check(x, asked, 443, &e);
        if (denied && strcmp(list, asked) == 0 && strspn(list, "abcdefghij.-") == strlen(list))
            abort();
        (void)host_is_private(asked, NULL);
        egress_free(x);
    }
    if (net_url_read(asked, &a, &url, &e) == 0 &&
        (url.port < 1 || url.port > 65535 || url.path[0] != '/' || !url.host[0]))
        abort();
    arena_release(&a);
    return 0;
}
