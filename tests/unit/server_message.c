/* Messages and the queues that share them. */
#include "test.h"

#include "server/message.h"

static struct message *text(const char *packet)
{
    struct message *m = message_text(str_from(packet));

    assert_non_null(m);
    return m;
}

static void push(struct outbox *o, struct message *m)
{
    outbox_push(o, m);
    message_free(m);
}

/* RFC 6455 5.2. */
static void frames_say_their_length(void **state)
{
    static const struct {
        size_t n, header;
        unsigned char bytes[10];
    } cases[] = {
        {0, 2, {0x81, 0}},
        {125, 2, {0x81, 125}},
        {126, 4, {0x81, 126, 0, 126}},
        {65535, 4, {0x81, 126, 0xff, 0xff}},
        {65536, 10, {0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0}},
    };
    char *bytes = calloc(1, 65536);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct message *m = message_text((struct str){bytes, cases[i].n});
        assert_non_null(m);
        assert_int_equal(m->n, cases[i].header + cases[i].n);
        assert_memory_equal(m->wire, cases[i].bytes, cases[i].header);
        message_free(m);
    }
    free(bytes);
}

static void payload_joins_packets_and_encodes_binary(void **state)
{
    const struct part parts[] = {{false, STR("451-[1]")}, {true, {"\x01\x02\x03\x04", 4}}};
    struct outbox o = {0};
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    push(&o, text("4hello"));
    push(&o, message_new(parts, 2));
    push(&o, text("2"));
    assert_int_equal(outbox_payload(&o, &b), 0);
    assert_string_equal(b.p, "4hello\x1e"
                             "451-[1]\x1e"
                             "bAQIDBA==\x1e"
                             "2");
    assert_int_equal(o.count, 0);
    assert_int_equal(o.bytes, 0);
    buf_release(&b);
}

/* python-engineio takes 16 packets at most; a WebSocket takes over in the middle of a message. */
static void payload_has_at_most_sixteen_packets(void **state)
{
    struct part parts[21] = {{false, STR("4520-[]")}};
    struct outbox o = {0}, other = {0};
    struct iovec v[2];
    struct buf b;

    (void)state;
    for (int i = 1; i < 21; i++)
        parts[i] = (struct part){true, {"\x01\x02\x03", 3}};
    buf_init(&b, 1000);
    push(&o, text("2"));
    push(&o, message_new(parts, 21));
    push(&o, text("6"));
    assert_int_equal(outbox_payload(&o, &b), 0);
    assert_int_equal(b.n, 1 + 1 + 7 + 14 * 6);
    outbox_move(&other, &o);
    assert_int_equal(outbox_vectors(&other, v, 2), 2);
    assert_int_equal(v[0].iov_len, 6 * 5);
    assert_memory_equal(v[0].iov_base, "\x82\x03\x01\x02\x03\x82", 6);
    b.n = 0;
    assert_int_equal(outbox_payload(&other, &b), 0);
    assert_string_equal(b.p, "bAQID\x1e"
                             "bAQID\x1e"
                             "bAQID\x1e"
                             "bAQID\x1e"
                             "bAQID\x1e"
                             "bAQID\x1e"
                             "6");
    assert_int_equal(other.count, 0);
    assert_int_equal(other.bytes, 0);
    buf_release(&b);
}

static void queue_keeps_order_through_partial_writes(void **state)
{
    struct outbox o = {0};
    struct iovec v[8];
    char sent[4096];
    size_t n = 0;

    (void)state;
    for (int round = 0; round < 50; round++) {
        char packet[8];
        snprintf(packet, sizeof(packet), "4%02d", round);
        push(&o, text(packet));
        if (round % 3 == 2) { /* frames of five bytes go away in pieces of at most four */
            assert_true(outbox_vectors(&o, v, 8) >= 1);
            size_t take = v[0].iov_len < 4 ? v[0].iov_len : 4;
            memcpy(sent + n, v[0].iov_base, take);
            n += take;
            outbox_advance(&o, take);
        }
    }
    while (o.count) {
        int count = outbox_vectors(&o, v, 8);
        size_t total = 0;
        for (int i = 0; i < count; i++) {
            memcpy(sent + n, v[i].iov_base, v[i].iov_len);
            n += v[i].iov_len;
            total += v[i].iov_len;
        }
        outbox_advance(&o, total);
    }
    assert_int_equal(n, 50 * 5);
    for (int round = 0; round < 50; round++) {
        char packet[8];
        snprintf(packet, sizeof(packet), "4%02d", round);
        assert_memory_equal(sent + 5 * round, "\x81\x03", 2);
        assert_memory_equal(sent + 5 * round + 2, packet, 3);
    }
    assert_int_equal(o.bytes, 0);
}

static void queue_counts_its_bytes(void **state)
{
    struct outbox o = {0}, other = {0};
    struct message *m = text("4abc");

    (void)state;
    outbox_push(&o, m);
    outbox_push(&o, m);
    outbox_push(&other, m);
    message_free(m);
    size_t two = o.bytes;
    assert_true(two >= 2 * 6);
    outbox_advance(&o, 1);
    assert_int_equal(o.bytes, two - 1);
    outbox_advance(&o, 5);
    assert_int_equal(o.bytes, two / 2);
    outbox_move(&other, &o);
    assert_int_equal(o.bytes, 0);
    assert_int_equal(other.bytes, two);
    assert_int_equal(other.count, 2);
    outbox_release(&other);
    assert_int_equal(other.bytes, 0);
}

static void a_queue_can_be_cut(void **state)
{
    struct outbox o = {0};
    struct iovec v[4];

    (void)state;
    push(&o, text("41"));
    push(&o, text("42"));
    outbox_cut(&o);
    assert_int_equal(o.count, 0);
    assert_int_equal(o.bytes, 0);
    push(&o, text("41"));
    push(&o, text("42"));
    push(&o, text("43"));
    outbox_advance(&o, 1);
    outbox_cut(&o);
    assert_int_equal(outbox_vectors(&o, v, 4), 1);
    assert_memory_equal(v[0].iov_base,
                        "\x02"
                        "41",
                        3);
    push(&o, text("44"));
    assert_int_equal(outbox_vectors(&o, v, 4), 2);
    assert_memory_equal(v[1].iov_base,
                        "\x81\x02"
                        "44",
                        4);
    outbox_release(&o);
    assert_int_equal(o.bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_say_their_length),
        cmocka_unit_test(payload_joins_packets_and_encodes_binary),
        cmocka_unit_test(payload_has_at_most_sixteen_packets),
        cmocka_unit_test(queue_keeps_order_through_partial_writes),
        cmocka_unit_test(queue_counts_its_bytes),
        cmocka_unit_test(a_queue_can_be_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
