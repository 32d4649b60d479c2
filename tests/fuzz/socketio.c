/* Any bytes as what a client sends: the body of a polling request, or the content of a WebSocket's
 * frame, by the first byte. What is accepted must keep its promises: slices inside the text, limits
 * held, base64 and packets that come out as they went in. */
#include "fuzz.h"

#include "server/packet.h"
#include "server/target.h"

#include <stdlib.h>
#include <string.h>

static void check(bool good)
{
    if (!good)
        abort();
}

static void inside(struct str whole, struct str part)
{
    check(part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

static void socket_packet(struct str text)
{
    struct packet p;
    struct err e;
    struct buf again;
    char name[PACKET_NAME_SPACE + 1];

    if (packet_decode(text, &p, &e))
        return;
    check(p.attachments <= PACKET_ATTACHMENTS && p.id.n <= PACKET_ID_DIGITS &&
          p.name_space.n >= 1 && p.name_space.n <= PACKET_NAME_SPACE);
    inside(text, p.id);
    inside(text, p.data);
    memcpy(name, p.name_space.p, p.name_space.n);
    name[p.name_space.n] = '\0';
    if (strlen(name) != p.name_space.n)
        return;
    buf_init(&again, 1 << 20);
    if (packet_encode(&again, p.type, p.attachments, name, p.id, p.data) == 0) {
        struct packet q;
        check(again.n >= 2 && packet_decode((struct str){again.p + 1, again.n - 1}, &q, &e) == 0);
        check(q.attachments == p.attachments && q.data.n == p.data.n && q.id.n == p.id.n);
    }
    buf_release(&again);
}

static void binary(struct str text)
{
    char *bytes = malloc(text.n / 4 * 3 + 1);
    struct buf again;
    size_t n;

    if (!bytes)
        abort();
    buf_init(&again, text.n + 4);
    if (base64_decode(text, bytes, &n)) {
        check(n <= text.n / 4 * 3 && base64_add(&again, (struct str){bytes, n}) == 0);
        check(again.n == text.n && memcmp(again.p ? again.p : "", text.p, text.n) == 0);
    }
    buf_release(&again);
    free(bytes);
}

static void payload(struct str body)
{
    struct str packet;

    if (!utf8_valid(body))
        return;
    while (str_cut(&body, ENGINE_SEPARATOR, &packet)) {
        if (str_skip(&packet, "b"))
            binary(packet);
        else if (str_skip(&packet, "4"))
            socket_packet(packet);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n == 0)
        return 0;
    struct str text = {(const char *)bytes + 1, n - 1};
    if (bytes[0] & 1)
        payload(text);
    else
        socket_packet(text);
    return 0;
}
