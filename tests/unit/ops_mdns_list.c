#include "ops/mdns_list.h"

#include "base/json.h"

#include <arpa/inet.h>

#include "test.h"

static struct mdns_record record(const char *address, uint16_t port)
{
    struct mdns_record r = {.host = "attic.local", .port = port};

    r.family = strchr(address, ':') ? AF_INET6 : AF_INET;
    assert_int_equal(inet_pton(r.family, address, &r.address), 1);
    return r;
}

static void add(struct mdns_list *l, int interface, const char *name, struct mdns_record r)
{
    mdns_list_add(l, &(struct mdns_key){interface, r.family == AF_INET6, name}, &r, 1000);
}

static void one_server_for_each_name(void **state)
{
    struct mdns_list l = {0};
    struct arena a = {0};
    size_t n;

    (void)state;
    add(&l, 1, "b", record("2a00::1", 8000));
    add(&l, 1, "b", record("10.0.0.2", 8000));
    add(&l, 2, "b", record("fe80::1", 8000));
    add(&l, 1, "a", record("2a00::9", 81));
    add(&l, 1, "c", record("fe80::2", 8000)); /* which no browser can open */
    add(&l, 1, "d", record("10.0.0.3", 0));
    struct mdns_server *s = mdns_list_servers(&l, &a, &n);
    assert_int_equal(n, 2);
    assert_string_equal(s[0].name, "a");
    assert_string_equal(s[0].url, "http://[2a00::9]:81/");
    assert_string_equal(s[1].url, "http://10.0.0.2:8000/");
    assert_string_equal(s[1].address, "10.0.0.2");
    assert_string_equal(s[1].host, "attic.local");
    assert_null(s[1].version);
    assert_int_equal(s[1].port, 8000);
    assert_int_equal(s[1].seen_at, 1000);

    mdns_list_remove(&l, &(struct mdns_key){1, 0, "b"});
    mdns_list_remove(&l, &(struct mdns_key){7, 0, "b"});
    s = mdns_list_servers(&l, &a, &n);
    assert_int_equal(n, 2);
    assert_string_equal(s[1].url, "http://[2a00::1]:8000/");
    mdns_list_release(&l);
    assert_int_equal(l.count, 0);
    mdns_list_servers(&l, &a, &n);
    assert_int_equal(n, 0);
    arena_release(&a);
}

static void it_may_change(void **state)
{
    struct mdns_record r = record("10.0.0.2", 8000);
    struct mdns_list l = {0};
    struct arena a = {0};
    size_t n;

    (void)state;
    add(&l, 1, "a", r);
    r.port = 8001;
    r.version = STR("1.2.3-rc+4");
    r.path = STR("/sub/");
    r.https = true;
    add(&l, 1, "a", r);
    struct mdns_server *s = mdns_list_servers(&l, &a, &n);
    assert_int_equal(n, 1);
    assert_string_equal(s->url, "https://attic.local:8001/sub/");
    assert_string_equal(s->version, "1.2.3-rc+4");
    mdns_list_release(&l);
    arena_release(&a);
}

static void hostile_texts(void **state)
{
    static const char *const paths[] = {"//evil.example", "evil", "/a b", "/\"><script>", "/@x",
                                        "/a\r\nb",        "/?x",  "/#x",  "\\\\evil"};
    static const char *const hosts[] = {"a b", "evil.example/x", "<b>", "a@b", "a:80", "\x1b[31m"};
    static const char *const names[] = {"\x1b[2Jclear", "<script>alert(1)</script>", "a\nb\r\n\t",
                                        "\xff\xfe", "caf\xc3"};
    struct mdns_list l = {0};
    struct arena a = {0};
    size_t n;

    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct mdns_record r = record("10.0.0.2", 8000);
        r.path = str_from(paths[i]);
        r.host = hosts[i % (sizeof hosts / sizeof *hosts)];
        r.https = true;
        r.version = STR("1<2");
        add(&l, 1, names[i % (sizeof names / sizeof *names)], r);
        struct mdns_server *s = mdns_list_servers(&l, &a, &n);
        for (size_t j = 0; j < n; j++) {
            json_t *name = json_string(s[j].name); /* which takes UTF-8 only */
            assert_non_null(name);
            json_decref(name);
            for (const char *c = s[j].name; *c; c++)
                assert_true((unsigned char)*c >= ' ' && *c != 0x7f);
            assert_string_equal(s[j].url, "https://10.0.0.2:8000/");
            assert_null(s[j].host);
            assert_null(s[j].version);
        }
    }
    assert_int_equal(l.count, sizeof names / sizeof *names);
    mdns_list_release(&l);
    arena_release(&a);
}

static void long_texts(void **state)
{
    struct mdns_record r = record("10.0.0.2", 8000);
    struct mdns_list l = {0};
    struct arena a = {0};
    char text[1000];
    size_t n;

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    r.host = text;
    r.version = r.path = str_from(text);
    add(&l, 1, text, r);
    add(&l, 1, text, r);
    struct mdns_server *s = mdns_list_servers(&l, &a, &n);
    assert_int_equal(n, 1);
    assert_int_equal(strlen(s->name), MDNS_NAME - 1);
    assert_null(s->host);
    assert_null(s->version);
    assert_string_equal(s->url, "http://10.0.0.2:8000/");
    mdns_list_remove(&l, &(struct mdns_key){1, 0, text});
    assert_int_equal(l.count, 0);
    arena_release(&a);
}

static void there_is_a_most(void **state)
{
    struct mdns_list l = {0};
    struct arena a = {0};
    char name[16];
    size_t n;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "%d", i);
        add(&l, 1, name, record("10.0.0.2", 8000));
    }
    mdns_list_servers(&l, &a, &n);
    assert_int_equal(n, MDNS_MOST);
    mdns_list_release(&l);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_server_for_each_name),
        cmocka_unit_test(it_may_change),
        cmocka_unit_test(hostile_texts),
        cmocka_unit_test(long_texts),
        cmocka_unit_test(there_is_a_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
