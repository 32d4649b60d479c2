#include "server/message.h"

#include "server/packet.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What a waiting message costs beside its bytes, so that a flood of tiny ones is bounded, too. */
enum { COST = 32, TEXT_FRAME = 0x81, BINARY_FRAME = 0x82, HEADER = 10, PACKETS = 16 };

/* RFC 6455 5.2: FIN and opcode, then the length in 7, 7+16 or 7+64 bits. Returns the header's size.
 */
static size_t put_header(unsigned char *out, bool binary, uint64_t n)
{
    size_t extra = n < 126 ? 0 : n < 65536 ? 2 : 8;

    out[0] = binary ? BINARY_FRAME : TEXT_FRAME;
    out[1] = (unsigned char)(extra == 0 ? n : extra == 2 ? 126 : 127);
    for (size_t i = 0; i < extra; i++)
        out[2 + i] = (unsigned char)(n >> 8 * (extra - 1 - i));
    return 2 + extra;
}

/* The same, read back. */
static size_t get_header(const unsigned char *in, bool *binary, size_t *n)
{
    size_t extra = in[1] < 126 ? 0 : in[1] == 126 ? 2 : 8;

    *binary = in[0] == BINARY_FRAME;
    *n = extra ? 0 : in[1];
    for (size_t i = 0; i < extra; i++)
        *n = *n << 8 | in[2 + i];
    return 2 + extra;
}

struct message *message_new(const struct part *parts, size_t count)
{
    size_t total = 0;

    for (size_t i = 0; i < count; i++) {
        if (parts[i].bytes.n > SIZE_MAX / 2 - total - HEADER)
            return NULL;
        total += HEADER + parts[i].bytes.n;
    }
    struct message *m = malloc(sizeof(*m) + total);
    if (!m)
        return NULL;
    atomic_init(&m->references, 1);
    m->n = 0;
    for (size_t i = 0; i < count; i++) {
        struct str bytes = parts[i].bytes;
        m->n += put_header((unsigned char *)m->wire + m->n, parts[i].binary, bytes.n);
        if (bytes.n)
            memcpy(m->wire + m->n, bytes.p, bytes.n);
        m->n += bytes.n;
    }
    return m;
}

struct message *message_text(struct str packet)
{
    return message_new(&(struct part){false, packet}, 1);
}

struct message *message_share(struct message *m)
{
    atomic_fetch_add_explicit(&m->references, 1, memory_order_relaxed);
    return m;
}

void message_free(struct message *m)
{
    if (m && atomic_fetch_sub_explicit(&m->references, 1, memory_order_acq_rel) == 1)
        free(m);
}

/* ==== outboxes ==== */

static struct message *at(const struct outbox *o, size_t i)
{
    return o->ring[(o->head + i) & (o->room - 1)];
}

static void grow(struct outbox *o)
{
    size_t room = o->room ? 2 * o->room : 4;
    struct message **ring = malloc(room * sizeof(struct message *));

    if (!ring)
        abort();
    for (size_t i = 0; i < o->count; i++)
        ring[i] = at(o, i);
    free(o->ring);
    o->ring = ring;
    o->room = room;
    o->head = 0;
}

void outbox_push(struct outbox *o, struct message *m)
{
    if (o->count == o->room)
        grow(o);
    o->ring[(o->head + o->count++) & (o->room - 1)] = message_share(m);
    o->bytes += m->n + COST;
}

static void drop_first(struct outbox *o)
{
    struct message *m = at(o, 0);

    o->bytes -= m->n - o->sent + COST;
    o->sent = 0;
    o->head++;
    o->count--;
    message_free(m);
    if (!o->count) { /* an idle connection keeps nothing */
        free(o->ring);
        *o = (struct outbox){0};
    }
}

void outbox_release(struct outbox *o)
{
    while (o->count)
        drop_first(o);
}

void outbox_cut(struct outbox *o)
{
    if (!o->sent)
        outbox_release(o);
    for (; o->count > 1; o->count--) {
        struct message *m = at(o, o->count - 1);
        o->bytes -= m->n + COST;
        message_free(m);
    }
}

void outbox_each(const struct outbox *o, void (*call)(void *user, struct message *m), void *user)
{
    for (size_t i = 0; i < o->count; i++)
        call(user, at(o, i));
}

/* What is left of the first message, which begins with a frame, as a message of its own. */
static void cut_first(struct outbox *o)
{
    const struct message *m = at(o, 0);
    struct message *rest = malloc(sizeof(*rest) + m->n - o->sent);

    if (!rest)
        abort();
    atomic_init(&rest->references, 1);
    rest->n = m->n - o->sent;
    memcpy(rest->wire, m->wire + o->sent, rest->n);
    message_free(at(o, 0));
    o->ring[o->head & (o->room - 1)] = rest;
    o->sent = 0;
}

void outbox_move(struct outbox *to, struct outbox *from)
{
    if (from->sent)
        cut_first(from);
    for (size_t i = 0; i < from->count; i++)
        outbox_push(to, at(from, i));
    outbox_release(from);
}

int outbox_vectors(const struct outbox *o, struct iovec *out, int max)
{
    int count = 0;

    for (size_t i = 0; i < o->count && count < max; i++) {
        struct message *m = at(o, i);
        size_t skip = i == 0 ? o->sent : 0;
        out[count++] = (struct iovec){m->wire + skip, m->n - skip};
    }
    return count;
}

void outbox_advance(struct outbox *o, size_t n)
{
    while (n && o->count) {
        size_t rest = at(o, 0)->n - o->sent;
        if (n < rest) {
            o->sent += n;
            o->bytes -= n;
            return;
        }
        n -= rest;
        drop_first(o);
    }
}

/* The frame at the start of what is left of the first message; *n bytes of it are taken. */
static int add_packet(const struct outbox *o, struct buf *out, size_t *n)
{
    const char *p = at(o, 0)->wire + o->sent;
    bool binary;
    size_t content;
    size_t header = get_header((const unsigned char *)p, &binary, &content);

    *n = header + content;
    p += header;
    if (out->n && buf_add(out, "\x1e", 1))
        return ERR_NOMEM;
    if (!binary)
        return buf_add(out, p, content);
    return buf_add(out, "b", 1) || base64_add(out, (struct str){p, content}) ? ERR_NOMEM : 0;
}

int outbox_payload(struct outbox *o, struct buf *out)
{
    for (int i = 0; i < PACKETS && o->count; i++) {
        size_t n;
        if (add_packet(o, out, &n))
            return ERR_NOMEM;
        outbox_advance(o, n);
    }
    return 0;
}
