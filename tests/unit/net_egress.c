#include "net/egress.h"

#include <arpa/inet.h>

#include "test.h"

static int asked(const char *list, const char *host, int port)
{
    struct egress *x;
    struct err e;

    assert_int_equal(egress_new(list, &x, &e), 0);
    int rc = egress_check(x, host, port, &e);
    if (rc && !strstr(e.message, "CAULDRON_ALLOW_HOSTS"))
        fail_msg("%s", e.message);
    egress_free(x);
    return rc;
}

static void allowed(const char *list, const char *host, int port)
{
    if (asked(list, host, port))
        fail_msg("'%s' refuses %s:%d", list ? list : "", host, port);
}

static void denied(const char *list, const char *host, int port)
{
    if (asked(list, host, port) != ERR_DENIED)
        fail_msg("'%s' allows %s:%d", list, host, port);
}

static void no_list(void **state)
{
    struct err e;

    (void)state;
    assert_int_equal(egress_check(NULL, "example.org", 443, &e), 0);
    allowed(NULL, "example.org", 443);
    allowed("", "127.0.0.1", 0);
    allowed(" ,\n", "127.0.0.1", 0);
}

static void names(void **state)
{
    (void)state;
    allowed("a.org,Example.ORG", "example.org", 443);
    allowed("example.org", "EXAMPLE.org.", 80);
    denied("example.org", "www.example.org", 443);
    denied("example.org", "example.org.evil.net", 443);
    denied("example.org", "xexample.org", 443);
    denied("example.org", "", 443);
    denied("example.org", "93.184.216.34", 443);
    denied("127.0.0.1", "localhost", 443); /* names are compared as names */
}

static void suffixes(void **state)
{
    (void)state;
    allowed("*.example.org", "www.example.org", 443);
    allowed("*.example.org", "a.b.EXAMPLE.org", 443);
    denied("*.example.org", "example.org", 443);
    denied("*.example.org", ".example.org", 443);
    denied("*.example.org", "wwwexample.org", 443);
    denied("*.example.org", "www.example.org.net", 443);
}

static void ports(void **state)
{
    (void)state;
    allowed("example.org:443", "example.org", 443);
    denied("example.org:443", "example.org", 80);
    allowed("example.org:443", "example.org", 0);
    allowed("*.example.org:8443", "x.example.org", 8443);
    denied("*.example.org:8443", "x.example.org", 443);
    allowed("10.0.0.0/8:27017", "10.1.2.3", 27017);
    denied("10.0.0.0/8:27017", "10.1.2.3", 27018);
    allowed("[2001:db8::/32]:443", "[2001:db8::7]", 443);
    denied("[2001:db8::/32]:443", "[2001:db8::7]", 80);
}

static void networks(void **state)
{
    (void)state;
    allowed("10.0.0.0/8", "10.255.0.1", 1);
    denied("10.0.0.0/8", "11.0.0.1", 1);
    allowed("192.168.4.0/22", "192.168.7.255", 1);
    denied("192.168.4.0/22", "192.168.8.0", 1);
    allowed("192.168.4.7/22", "192.168.4.0", 1); /* host bits do not count */
    allowed("0.0.0.0/0", "8.8.8.8", 1);
    denied("0.0.0.0/0", "2001:db8::1", 1);
    allowed("::/0", "8.8.8.8", 1); /* as mapped addresses */
    allowed("2001:db8::/33", "2001:db8:7fff::1", 1);
    denied("2001:db8::/33", "2001:db8:8000::1", 1);
    allowed("2001:db8::1", "[2001:db8::1]", 1);
    allowed("2001:db8::1", "2001:DB8:0::1", 1);
    denied("2001:db8::1", "2001:db8::2", 1);
    allowed("[::1]:80", "::1", 80);
    allowed("127.0.0.1", "::ffff:127.0.0.1", 1);
    denied("127.0.0.0/8", "127.0.0.1.nip.io", 1);
    denied("127.0.0.0/8", "0x7f000001", 1);
}

static void what_cannot_be_read(void **state)
{
    static const char *const bad[] = {
        "http://example.org",
        "example.org/8",
        "exa mple.org/x",
        "*",
        "*.",
        "a..b",
        ".example.org",
        "example.org.",
        "1.2.3",
        "1.2.3.256",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/",
        "2001:db8::/129",
        "example.org:0",
        "example.org:",
        "example.org:x",
        "a.org:65536",
        "[::1",
        "[::1]x",
        "[::1]:",
        "[1.2.3.4]:80",
        "www.*.org",
        "a.org;b.org",
        "::1/",
        "example.org:80:81",
        "b\xc3\xbc"
        "cher.de",
    };
    struct egress *x;
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char list[100];
        snprintf(list, sizeof list, "good.org, %s", bad[i]);
        if (egress_new(list, &x, &e) != ERR_ARG)
            fail_msg("'%s' was read", bad[i]);
        assert_non_null(strstr(e.message, "CAULDRON_ALLOW_HOSTS"));
    }
    assert_int_equal(egress_new("good.org *.bad..org", &x, &e), ERR_ARG);
    assert_non_null(strstr(e.message, "'*.bad..org'"));
    egress_free(NULL);
}

static void private_hosts(void **state)
{
    bool loopback;

    (void)state;
    assert_true(host_is_private("127.0.0.1", &loopback) && loopback);
    assert_true(host_is_private("127.8.7.6", &loopback) && loopback);
    assert_true(host_is_private("[::1]", &loopback) && loopback);
    assert_true(host_is_private("LocalHost", &loopback) && loopback);
    assert_true(host_is_private("localhost.", &loopback) && loopback);
    assert_true(host_is_private("10.0.0.1", &loopback) && !loopback);
    assert_true(host_is_private("[fe80::1]", NULL));
    assert_true(host_is_private("[nonsense]", NULL));
    assert_false(host_is_private("8.8.8.8", &loopback) || loopback);
    assert_false(host_is_private("[2606:4700::1]", NULL));
    assert_false(host_is_private("example.org", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_list),       cmocka_unit_test(names),
        cmocka_unit_test(suffixes),      cmocka_unit_test(ports),
        cmocka_unit_test(networks),      cmocka_unit_test(what_cannot_be_read),
        cmocka_unit_test(private_hosts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
