#include "server/packet.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ==== Socket.IO ==== */

/* Digits at the start of s; dropped from it. */
static struct str take_digits(struct str *s)
{
    struct str digits = {s->p, 0};

    while (digits.n < s->n && s->p[digits.n] >= '0' && s->p[digits.n] <= '9')
        digits.n++;
    s->p += digits.n;
    s->n -= digits.n;
    return digits;
}

static int decode_attachments(struct str *text, struct packet *out, struct err *e)
{
    struct str digits = take_digits(text);
    int64_t count;

    if (!digits.n || digits.n > 4 || !str_to_i64(digits, &count) || !str_skip(text, "-"))
        return ERR(e, ERR_FORMAT, "a binary packet without the number of its attachments");
    if (count > PACKET_ATTACHMENTS)
        return ERR(e, ERR_FORMAT, "more than %d attachments", PACKET_ATTACHMENTS);
    out->attachments = (size_t)count;
    return 0;
}

static int decode_name_space(struct str *text, struct packet *out, struct err *e)
{
    out->name_space = STR("/");
    if (!str_starts(*text, "/"))
        return 0;
    const char *comma = memchr(text->p, ',', text->n);
    struct str name = {text->p, comma ? (size_t)(comma - text->p) : text->n};
    if (name.n > PACKET_NAME_SPACE)
        return ERR(e, ERR_FORMAT, "a namespace of %zu bytes", name.n);
    out->name_space = name;
    text->p += name.n;
    text->n -= name.n;
    str_skip(text, ",");
    return 0;
}

/* What each type takes: an acknowledgement's number, a payload that begins so. */
static const struct {
    bool from_clients, binary;
    char id;   /* 'n'o, 'm'ay, 'y'es */
    char data; /* the payload's first character, 0 for none */
    bool needs_data;
} rules[] = {
    [PACKET_CONNECT] = {true, false, 'n', '{', false},
    [PACKET_DISCONNECT] = {true, false, 'n', 0, false},
    [PACKET_EVENT] = {true, false, 'm', '[', true},
    [PACKET_ACK] = {true, false, 'y', '[', true},
    [PACKET_CONNECT_ERROR] = {false, false, 'n', 0, false},
    [PACKET_BINARY_EVENT] = {true, true, 'm', '[', true},
    [PACKET_BINARY_ACK] = {true, true, 'y', '[', true},
};

static int check(const struct packet *p, struct err *e)
{
    if (p->id.n > PACKET_ID_DIGITS || (p->id.n && rules[p->type].id == 'n') ||
        (!p->id.n && rules[p->type].id == 'y'))
        return ERR(e, ERR_FORMAT, "a bad acknowledgement number");
    if (!p->data.n)
        return rules[p->type].needs_data ? ERR(e, ERR_FORMAT, "a packet without its payload") : 0;
    if (p->data.p[0] != rules[p->type].data)
        return ERR(e, ERR_FORMAT, "a payload of the wrong kind");
    return 0;
}

int packet_decode(struct str text, struct packet *out, struct err *e)
{
    struct packet p = {0};

    if (!text.n || text.p[0] < '0' || text.p[0] > '6')
        return ERR(e, ERR_FORMAT, "an unknown type of packet");
    p.type = (enum packet_type)(text.p[0] - '0');
    if (!rules[p.type].from_clients)
        return ERR(e, ERR_FORMAT, "a packet that only servers send");
    text.p++;
    text.n--;
    if (rules[p.type].binary && decode_attachments(&text, &p, e))
        return ERR_FORMAT;
    if (decode_name_space(&text, &p, e))
        return ERR_FORMAT;
    p.id = take_digits(&text);
    p.data = text;
    if (check(&p, e))
        return ERR_FORMAT;
    *out = p;
    return 0;
}

int packet_encode(struct buf *out, enum packet_type type, size_t attachments,
                  const char *name_space, struct str id, struct str data)
{
    if (type == PACKET_EVENT || type == PACKET_BINARY_EVENT)
        type = attachments ? PACKET_BINARY_EVENT : PACKET_EVENT;
    if (type == PACKET_ACK || type == PACKET_BINARY_ACK)
        type = attachments ? PACKET_BINARY_ACK : PACKET_ACK;
    const char head[2] = {ENGINE_MESSAGE, (char)('0' + (int)type)};
    if (buf_add(out, head, sizeof(head)) || (attachments && buf_addf(out, "%zu-", attachments)))
        return ERR_NOMEM;
    if (strcmp(name_space, "/") != 0 && buf_addf(out, "%s,", name_space))
        return ERR_NOMEM;
    return buf_add(out, id.p, id.n) || buf_add(out, data.p, data.n) ? ERR_NOMEM : 0;
}

static int add_json_text(struct buf *out, const char *text)
{
    json_t *value = json_string(text);
    char *quoted = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
    /* Not UTF-8: an empty text rather than none. */
    int rc = buf_add(out, quoted ? quoted : "\"\"", quoted ? strlen(quoted) : 2);

    free(quoted);
    json_decref(value);
    return rc;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

int packet_event_data(struct buf *out, const char *event, struct str arguments, struct err *e)
{
    if (arguments.n < 2 || arguments.p[0] != '[' || arguments.p[arguments.n - 1] != ']')
        return ERR(e, ERR_ARG, "the arguments of '%s' are not a JSON array", event);
    struct str inner = {arguments.p + 1, arguments.n - 2};
    while (inner.n && is_blank(inner.p[0])) {
        inner.p++;
        inner.n--;
    }
    if (buf_add(out, "[", 1) || add_json_text(out, event) || (inner.n && buf_add(out, ",", 1)) ||
        buf_add(out, inner.p, inner.n) || buf_add(out, "]", 1))
        return ERR(e, ERR_NOMEM, "the event '%s' is too long", event);
    return 0;
}

int packet_error_data(struct buf *out, const char *message)
{
    if (buf_addf(out, "{\"message\":") || add_json_text(out, message) || buf_add(out, "}", 1))
        return ERR_NOMEM;
    return 0;
}

/* ==== base64 ==== */

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_add(struct buf *out, struct str bytes)
{
    const unsigned char *p = (const unsigned char *)bytes.p;
    char line[1024];
    size_t n = 0;

    for (size_t i = 0; i < bytes.n; i += 3) {
        size_t have = bytes.n - i < 3 ? bytes.n - i : 3;
        uint32_t word = (uint32_t)p[i] << 16 | (have > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
                        (have > 2 ? p[i + 2] : 0);
        line[n++] = letters[word >> 18];
        line[n++] = letters[word >> 12 & 63];
        line[n++] = have > 1 ? letters[word >> 6 & 63] : '=';
        line[n++] = have > 2 ? letters[word & 63] : '=';
        if (n == sizeof(line)) {
            if (buf_add(out, line, n))
                return ERR_NOMEM;
            n = 0;
        }
    }
    return buf_add(out, line, n);
}

static int letter_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool base64_decode(struct str text, char *out, size_t *n)
{
    size_t at = 0, pads = 0;

    if (text.n % 4)
        return false;
    while (pads < 2 && text.n && text.p[text.n - 1 - pads] == '=')
        pads++;
    for (size_t i = 0; i < text.n; i += 4) {
        size_t skip = i + 4 == text.n ? pads : 0;
        uint32_t word = 0;
        for (size_t k = 0; k < 4; k++) {
            int value = k < 4 - skip ? letter_value(text.p[i + k]) : 0;
            if (value < 0)
                return false;
            word = word << 6 | (uint32_t)value;
        }
        /* The bits below the last byte must be 0, so that a value has one text. */
        if (word & ((1u << 8 * skip) - 1))
            return false;
        for (size_t k = 0; k < 3 - skip; k++)
            out[at++] = (char)(word >> (16 - 8 * k));
    }
    *n = at;
    return true;
}
