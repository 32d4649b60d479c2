#include "server/address.h"
#include "server/origin.h"

#include "test.h"

static void hosts(void **state)
{
    (void)state;
    assert_true(host_allowed("anything", NULL));
    assert_true(host_allowed("localhost:8000", "localhost, 127.0.0.1"));
    assert_true(host_allowed("127.0.0.1", "localhost, 127.0.0.1"));
    assert_true(host_allowed("[::1]:80", "[::1]"));
    assert_true(host_allowed("App.Example:8443", "app.example:8443"));
    assert_false(host_allowed("app.example", "app.example:8443"));
    assert_false(host_allowed("localhost.evil", "localhost"));
    assert_false(host_allowed("localhost", ""));
    assert_false(host_allowed("", "localhost,,"));
    assert_false(host_allowed("[::1", "[::1]"));
    assert_false(host_allowed("[::1]", "[:"));
}

static void host_texts(void **state)
{
    char longest[300];

    (void)state;
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    assert_true(host_valid("a-b.example:80"));
    assert_true(host_valid("[::1]:8000"));
    assert_false(host_valid(""));
    assert_false(host_valid("a/b"));
    assert_false(host_valid("a@b"));
    assert_false(host_valid("a\"b"));
    assert_false(host_valid("caf\xc3\xa9"));
    assert_false(host_valid(longest));
}

static void origins(void **state)
{
    const char *own = "http://localhost:8000", *list = "https://a.example, http://b.example:81";

    (void)state;
    assert_true(origin_allowed(own, own, NULL));
    assert_true(origin_allowed("HTTP://LOCALHOST:8000", own, NULL));
    assert_true(origin_allowed("http://b.example:81", own, list));
    assert_true(origin_allowed("http://whoever", NULL, "*"));
    assert_false(origin_allowed("http://localhost:8001", own, list));
    assert_false(origin_allowed("https://localhost:8000", own, list));
    assert_false(origin_allowed("http://a.example", own, list));
    assert_false(origin_allowed("https://a.example.evil", own, list));
    assert_false(origin_allowed("null", "null", list));
    assert_false(origin_allowed("", own, ","));
    assert_true(origin_allowed("null", own, "null"));
    assert_true(origin_named(own, own, NULL));
    assert_true(origin_named("https://a.example", own, list));
    assert_false(origin_named("http://whoever", own, "*"));
    assert_false(origin_named("*", own, "*"));
    assert_false(origin_named("null", "null", NULL));
    assert_false(origin_named("null", own, "*"));
}

static const char *text(const char *in)
{
    static char out[ADDRESS_TEXT];
    struct address a;

    if (!address_parse(str_from(in), &a))
        return NULL;
    address_text(&a, out);
    return out;
}

static void addresses(void **state)
{
    static const char *const bad[] = {"",     "1.2.3", "1.2.3.4.5", "1.2.3.256", "::g",
                                      "[::1", "[]",    "1.2.3.4 ",  "localhost"};

    (void)state;
    assert_string_equal(text("192.0.2.7"), "192.0.2.7");
    assert_string_equal(text("[2001:DB8::1]"), "2001:db8::1");
    assert_string_equal(text("::ffff:192.0.2.7"), "192.0.2.7");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_null(text(bad[i]));
    struct address a;
    assert_true(address_parse(STR("127.9.9.9"), &a) && address_is_loopback(&a));
    assert_true(address_parse(STR("::1"), &a) && address_is_loopback(&a));
    assert_true(address_parse(STR("::2"), &a) && !address_is_loopback(&a));
}

static bool listed(const char *commas, const char *in)
{
    struct arena arena = {0};
    struct address_list list;
    struct address a;
    struct err e;

    assert_int_equal(address_list_parse(&arena, commas, &list, &e), 0);
    assert_true(address_parse(str_from(in), &a));
    bool there = address_listed(&list, &a);
    arena_release(&arena);
    return there;
}

static void lists(void **state)
{
    struct arena arena = {0};
    struct address_list list = {.count = 7};
    struct err e;
    static const char *const bad[] = {"x",      "1.2.3.4/33", "1.2.3.4/-1",
                                      "::/129", "1.2.3.4/",   "::/x"};

    (void)state;
    assert_true(listed("10.0.0.0/8, 192.0.2.7", "10.255.0.1"));
    assert_true(listed("10.0.0.0/8,192.0.2.7", "192.0.2.7"));
    assert_false(listed("10.0.0.0/8,192.0.2.7", "11.0.0.1"));
    assert_true(listed("10.0.0.0/9", "10.127.0.0"));
    assert_false(listed("10.0.0.0/9", "10.128.0.0"));
    assert_true(listed("0.0.0.0/0", "203.0.113.1"));
    assert_false(listed("0.0.0.0/0", "2001:db8::1"));
    assert_true(listed("2001:db8::/33", "2001:db8:7fff::1"));
    assert_false(listed("2001:db8::/33", "2001:db8:8000::1"));
    assert_false(listed(NULL, "10.0.0.1"));
    assert_false(listed(" , ", "10.0.0.1"));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(address_list_parse(&arena, bad[i], &list, &e), ERR_ARG);
    assert_int_equal(list.count, 7);
    arena_release(&arena);
}

static void clients_behind_proxies(void **state)
{
    struct arena arena = {0};
    struct address_list list;
    struct address peer;
    struct err e;
    static const char *const cases[][2] = {
        {NULL, "10.0.0.1"},
        {"", "10.0.0.1"},
        {"203.0.113.9", "203.0.113.9"},
        {"1.1.1.1, 203.0.113.9", "203.0.113.9"}, /* what the client itself wrote is not believed */
        {"203.0.113.9, 10.0.0.2", "203.0.113.9"},
        {"203.0.113.9:4711", "203.0.113.9"},
        {"[2001:db8::5]:4711", "2001:db8::5"},
        {"nonsense", "10.0.0.1"},
        {"203.0.113.9, nonsense", "10.0.0.1"},
        {"10.0.0.3, 10.0.0.2", "10.0.0.3"},
    };

    (void)state;
    assert_int_equal(address_list_parse(&arena, "10.0.0.0/8", &list, &e), 0);
    assert_true(address_parse(STR("10.0.0.1"), &peer));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[ADDRESS_TEXT];
        struct address client = address_client(&list, &peer, cases[i][0]);
        address_text(&client, out);
        assert_string_equal(out, cases[i][1]);
    }
    assert_true(address_parse(STR("192.0.2.1"), &peer)); /* no proxy: its words count for nothing */
    struct address client = address_client(&list, &peer, "203.0.113.9");
    assert_memory_equal(&client, &peer, sizeof client);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts),   cmocka_unit_test(host_texts),
        cmocka_unit_test(origins), cmocka_unit_test(addresses),
        cmocka_unit_test(lists),   cmocka_unit_test(clients_behind_proxies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
