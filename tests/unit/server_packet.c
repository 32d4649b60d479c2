/* Packets of Engine.IO and Socket.IO: the examples of the protocol documents, and what is refused.
 */
#include "test.h"

#include "server/packet.h"
#include "server/target.h"

#define assert_str(s, text)                                                                        \
    do {                                                                                           \
        struct str got_ = (s);                                                                     \
        assert_int_equal(got_.n, strlen(text));                                                    \
        assert_memory_equal(got_.n ? got_.p : "", text, strlen(text));                             \
    } while (0)

static void decodes_the_examples_of_the_protocol(void **state)
{
    static const struct {
        const char *text;
        enum packet_type type;
        size_t attachments;
        const char *name_space, *id, *data;
    } cases[] = {
        {"0", PACKET_CONNECT, 0, "/", "", ""},
        {"0{\"token\":\"123\"}", PACKET_CONNECT, 0, "/", "", "{\"token\":\"123\"}"},
        {"0/admin,", PACKET_CONNECT, 0, "/admin", "", ""},
        {"0/custom", PACKET_CONNECT, 0, "/custom", "", ""},
        {"0/admin,{\"a\":1}", PACKET_CONNECT, 0, "/admin", "", "{\"a\":1}"},
        {"1", PACKET_DISCONNECT, 0, "/", "", ""},
        {"1/admin,", PACKET_DISCONNECT, 0, "/admin", "", ""},
        {"2[\"foo\"]", PACKET_EVENT, 0, "/", "", "[\"foo\"]"},
        {"2/admin,[\"bar\"]", PACKET_EVENT, 0, "/admin", "", "[\"bar\"]"},
        {"212[\"foo\"]", PACKET_EVENT, 0, "/", "12", "[\"foo\"]"},
        {"3/admin,13[\"bar\"]", PACKET_ACK, 0, "/admin", "13", "[\"bar\"]"},
        {"51-[\"baz\",{}]", PACKET_BINARY_EVENT, 1, "/", "", "[\"baz\",{}]"},
        {"52-/admin,[\"baz\"]", PACKET_BINARY_EVENT, 2, "/admin", "", "[\"baz\"]"},
        {"61-15[\"bar\"]", PACKET_BINARY_ACK, 1, "/", "15", "[\"bar\"]"},
        {"510-[1]", PACKET_BINARY_EVENT, 10, "/", "", "[1]"},
        {"2123456789012345[1]", PACKET_EVENT, 0, "/", "123456789012345", "[1]"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct packet p;
        struct err e;
        assert_int_equal(packet_decode(str_from(cases[i].text), &p, &e), 0);
        assert_int_equal(p.type, cases[i].type);
        assert_int_equal(p.attachments, cases[i].attachments);
        assert_str(p.name_space, cases[i].name_space);
        assert_str(p.id, cases[i].id);
        assert_str(p.data, cases[i].data);
    }
}

static void refuses_what_clients_may_not_send(void **state)
{
    static const char *const cases[] = {
        "",        "7",     "abc",     "x",        "4{\"message\":\"no\"}",
        "2",       "2{}",   "2abc[1]", "2\"foo\"", "0[1]",
        "01{}",    "1{}",   "1[]",     "3[1]",     "6[1]",
        "61-[1]",  "5[1]",  "5-[1]",   "511-[1]",  "599999-[1]",
        "5a-[1]",  "51[1]", "2/a",     "2/a,",     "21234567890123456[1]",
        "51-/a,1", " 2[1]", "2 [1]",   "0abc",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct packet p = {.attachments = 77};
        struct err e;
        if (packet_decode(str_from(cases[i]), &p, &e) != ERR_FORMAT)
            fail_msg("'%s' was taken", cases[i]);
        assert_int_equal(p.attachments, 77);
    }
}

static void limits_the_length_of_namespaces(void **state)
{
    char text[PACKET_NAME_SPACE + 3];
    struct packet p;
    struct err e;

    (void)state;
    memset(text, 'a', sizeof(text));
    text[0] = '0';
    text[1] = '/';
    assert_int_equal(packet_decode((struct str){text, PACKET_NAME_SPACE + 1}, &p, &e), 0);
    assert_int_equal(packet_decode((struct str){text, PACKET_NAME_SPACE + 2}, &p, &e), ERR_FORMAT);
}

static void encodes(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    assert_int_equal(packet_encode(&b, PACKET_CONNECT, 0, "/", STR(""), STR("{\"sid\":\"x\"}")), 0);
    assert_string_equal(b.p, "40{\"sid\":\"x\"}");
    buf_release(&b);
    assert_int_equal(packet_encode(&b, PACKET_ACK, 0, "/a", STR("13"), STR("[1]")), 0);
    assert_string_equal(b.p, "43/a,13[1]");
    buf_release(&b);
    assert_int_equal(packet_encode(&b, PACKET_EVENT, 2, "/", STR(""), STR("[1]")), 0);
    assert_string_equal(b.p, "452-[1]");
    buf_release(&b);
    assert_int_equal(packet_encode(&b, PACKET_ACK, 1, "/", STR("789"), STR("[]")), 0);
    assert_string_equal(b.p, "461-789[]");
    buf_release(&b);
    assert_int_equal(packet_encode(&b, PACKET_BINARY_EVENT, 1, "/", STR(""), STR("[]")), 0);
    assert_string_equal(b.p, "451-[]");
    buf_release(&b);
    assert_int_equal(packet_encode(&b, PACKET_BINARY_ACK, 0, "/", STR("7"), STR("[]")), 0);
    assert_string_equal(b.p, "437[]");
    buf_release(&b);
    buf_init(&b, 3);
    assert_int_equal(packet_encode(&b, PACKET_EVENT, 0, "/", STR(""), STR("[1]")), ERR_NOMEM);
    buf_release(&b);
}

static void event_data(const char *event, const char *arguments, const char *wanted)
{
    struct buf b;
    struct err e;

    buf_init(&b, 1000);
    assert_int_equal(packet_event_data(&b, event, str_from(arguments), &e), 0);
    assert_string_equal(b.p, wanted);
    buf_release(&b);
}

static void puts_the_event_before_its_arguments(void **state)
{
    struct buf b;
    struct err e;

    (void)state;
    event_data("auth", "[{}]", "[\"auth\",{}]");
    event_data("a", "[]", "[\"a\"]");
    event_data("a", "[ \n]", "[\"a\"]");
    event_data("say \"hi\"\n", "[1,2]", "[\"say \\\"hi\\\"\\n\",1,2]");
    event_data("\xff", "[1]", "[\"\",1]");
    buf_init(&b, 1000);
    assert_int_equal(packet_event_data(&b, "a", STR("{}"), &e), ERR_ARG);
    assert_int_equal(packet_event_data(&b, "a", STR("["), &e), ERR_ARG);
    assert_int_equal(packet_event_data(&b, "a", STR(""), &e), ERR_ARG);
    assert_int_equal(b.n, 0);
    assert_int_equal(packet_error_data(&b, "no \"way\""), 0);
    assert_string_equal(b.p, "{\"message\":\"no \\\"way\\\"\"}");
    buf_release(&b);
}

static void knows_utf8(void **state)
{
    static const char *const good[] = {"",
                                       "abc",
                                       "\x7f",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xef\xbf\xbf",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {
        "\x80",         "\xc0\x80",         "\xc1\xbf",         "\xc2",
        "\xc2\x41",     "\xe0\x9f\xbf",     "\xe2\x82",         "\xed\xa0\x80",
        "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "\xff",         "a\xf0\x90\x80",    "\xfe\xff"};
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        assert_true(utf8_valid(str_from(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(utf8_valid(str_from(bad[i])));
}

static void base64_goes_both_ways(void **state)
{
    unsigned char bytes[3000];
    char back[3000];
    struct buf b;
    size_t n;

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(i * 7 + i / 256);
    buf_init(&b, 10000);
    for (size_t length = 0; length < sizeof(bytes);
         length = length < 20 ? length + 1 : length + 419) {
        b.n = 0;
        assert_int_equal(base64_add(&b, (struct str){(char *)bytes, length}), 0);
        assert_int_equal(b.n, (length + 2) / 3 * 4);
        assert_true(base64_decode((struct str){b.p, b.n}, back, &n));
        assert_int_equal(n, length);
        assert_memory_equal(back, bytes, length);
    }
    b.n = 0;
    assert_int_equal(base64_add(&b, (struct str){"\x01\x02\x03\x04", 4}), 0);
    assert_string_equal(b.p, "AQIDBA==");
    buf_release(&b);
}

static void base64_is_strict(void **state)
{
    static const char *const bad[] = {"A",    "AB",    "ABC",  "A===", "====",     "AB=C", "A B=",
                                      "AB-_", "AQ\n=", "AR==", "AQJ=", "AQ==AQ==", "=AQI"};
    char out[16];
    size_t n = 99;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (base64_decode(str_from(bad[i]), out, &n))
            fail_msg("'%s' was taken", bad[i]);
    assert_int_equal(n, 99);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_the_examples_of_the_protocol),
        cmocka_unit_test(refuses_what_clients_may_not_send),
        cmocka_unit_test(limits_the_length_of_namespaces),
        cmocka_unit_test(encodes),
        cmocka_unit_test(puts_the_event_before_its_arguments),
        cmocka_unit_test(knows_utf8),
        cmocka_unit_test(base64_goes_both_ways),
        cmocka_unit_test(base64_is_strict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
