#include "ops/push_target.h"

#include "net/egress.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "test.h"

static bool public_text(const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return address_is_public((struct sockaddr *)&v4);
    assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return address_is_public((struct sockaddr *)&v6);
}

static void addresses(void **state)
{
    static const char *const closed[] = {
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "192.88.99.1",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.1.1.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "100::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "2001::1",
        "2001:1ff::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "3fff:fff::1",
        "::127.0.0.1",
        "4000::1",
        "5f00::1",
    };
    static const char *const open[] = {
        "1.1.1.1",      "9.255.255.255", "11.0.0.0",       "100.63.255.255",   "100.128.0.0",
        "126.0.0.1",    "128.0.0.1",     "172.15.0.1",     "172.32.0.1",       "192.167.255.255",
        "192.169.0.1",  "198.17.0.1",    "198.20.0.1",     "223.255.255.255",  "2001:200::1",
        "2606:4700::1", "2a00:1450::1",  "::ffff:8.8.8.8", "64:ff9b::808:808", "2001:db9::1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof closed / sizeof *closed; i++)
        if (public_text(closed[i]))
            fail_msg("%s is not public", closed[i]);
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        if (!public_text(open[i]))
            fail_msg("%s is public", open[i]);
    assert_false(address_is_public(&(struct sockaddr){.sa_family = AF_UNIX}));
}

static const char *origin(const char *endpoint, bool allow_private, struct arena *a)
{
    struct push_target t;
    struct err e;

    return push_target_read(endpoint, allow_private, a, &t, &e) ? NULL : t.origin;
}

static void origins(void **state)
{
    static const char *const pairs[][2] = {
        {"https://push.example.net/send/abc", "https://push.example.net"},
        {"https://push.example.net", "https://push.example.net"},
        {"https://Push.Example.NET:443/x?y=z", "https://push.example.net"},
        {"https://push.example.net:8443/x", "https://push.example.net:8443"},
        {"https://[2606:4700::1]:8443/x", "https://[2606:4700::1]:8443"},
    };
    struct arena a = {0};

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const char *got = origin(pairs[i][0], false, &a);
        assert_non_null(got);
        assert_string_equal(got, pairs[i][1]);
    }
    assert_string_equal(origin("http://127.0.0.1:99/x", true, &a), "http://127.0.0.1:99");
    assert_string_equal(origin("http://localhost:99/x", true, &a), "http://localhost:99");
    assert_string_equal(origin("http://[::1]:99/x", true, &a), "http://[::1]:99");
    assert_string_equal(origin("https://10.0.0.1/x", true, &a), "https://10.0.0.1");
    arena_release(&a);
}

static void hostile_endpoints(void **state)
{
    static const char *const never[] = {
        "",
        "push.example.net/x",
        "http://push.example.net/x",
        "ftp://push.example.net/x",
        "file:///etc/passwd",
        "https://",
        "https://user@push.example.net/x",
        "https://user:secret@push.example.net/x",
        "https://push.example.net/x#fragment",
        "https://push.example.net/a b",
        "https://push.example.net/a\r\nX: y",
        "https://push.ex\xc3\xa4mple.net/x",
        "https://push.example.net:99999/x",
        "gopher://127.0.0.1/",
    };
    static const char *const private[] = {
        "https://127.0.0.1/x",
        "https://localhost/x",
        "https://10.1.2.3/x",
        "https://[::1]/x",
        "https://[fe80::1]/x",
        "https://[::ffff:10.0.0.1]/x",
        "https://169.254.169.254/latest/meta-data",
        "https://2130706433/x",
        "https://0x7f.1/x",
        "https://LOCALHOST/x",
    };
    char *text = malloc(2100);
    struct arena a = {0};

    (void)state;
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (origin(never[i], false, &a) || origin(never[i], true, &a))
            fail_msg("%s is no endpoint", never[i]);
    for (size_t i = 0; i < sizeof private / sizeof *private; i++)
        if (origin(private[i], false, &a))
            fail_msg("%s is private", private[i]);
    memset(text, 'x', 2099);
    memcpy(text, "https://push.example.net/", 25);
    text[2001] = 0;
    assert_null(origin(text, false, &a));
    text[2000] = 0;
    assert_non_null(origin(text, false, &a));
    free(text);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),
        cmocka_unit_test(origins),
        cmocka_unit_test(hostile_endpoints),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
