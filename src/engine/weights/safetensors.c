#include "engine/weights/safetensors.h"

#include "base/map.h"
#include "engine/weights/safetensors_header.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char *const dtype_codes[DTYPE_COUNT] = {
    [DTYPE_F32] = "F32", [DTYPE_F16] = "F16", [DTYPE_BF16] = "BF16", [DTYPE_F64] = "F64",
    [DTYPE_I64] = "I64", [DTYPE_I32] = "I32", [DTYPE_U8] = "U8",
};

static bool dtype_of(struct str code, enum dtype *out)
{
    for (int d = 0; d < DTYPE_COUNT; d++)
        if (str_is(code, dtype_codes[d])) {
            *out = (enum dtype)d;
            return true;
        }
    return false;
}

static uint64_t little_endian(const unsigned char *p)
{
    uint64_t value = 0;
    for (int i = 7; i >= 0; i--)
        value = value << 8 | p[i];
    return value;
}

/* Bytes of a tensor; false when they do not fit in 63 bits. */
static bool bytes_of(const struct header_entry *entry, enum dtype d, uint64_t *out)
{
    uint64_t bytes = (uint64_t)dtype_size(d);

    for (int i = 0; i < entry->dims; i++)
        if (__builtin_mul_overflow(bytes, (uint64_t)entry->shape[i], &bytes) || bytes > INT64_MAX)
            return false;
    *out = bytes;
    return true;
}

static int check_entry(const char *name, const struct header_entry *entry, enum dtype *dtype,
                       struct err *e)
{
    uint64_t bytes;

    if (!dtype_of(entry->dtype, dtype))
        return ERR(e, ERR_UNSUPPORTED,
                   "'%s': tensor '%s' has dtype %.32s, which this engine does not read (it reads "
                   "F32, F16, BF16, F64, I64, I32, U8)",
                   name, entry->name.p, entry->dtype.p);
    if (!bytes_of(entry, *dtype, &bytes))
        return ERR(e, ERR_FORMAT, "'%s': the shape of tensor '%s' is too large", name,
                   entry->name.p);
    if (entry->begin > entry->end || entry->end - entry->begin != bytes)
        return ERR(e, ERR_FORMAT,
                   "'%s': tensor '%s' needs %llu bytes but its data_offsets are %llu to %llu", name,
                   entry->name.p, (unsigned long long)bytes, (unsigned long long)entry->begin,
                   (unsigned long long)entry->end);
    return 0;
}

static int by_offset(const void *a, const void *b)
{
    const struct header_entry *const *x = a, *const *y = b;

    if ((*x)->begin != (*y)->begin)
        return (*x)->begin < (*y)->begin ? -1 : 1;
    return (*x)->end == (*y)->end ? 0 : (*x)->end < (*y)->end ? -1 : 1;
}

/* The tensors must tile the data without gap or overlap, as the reference implementation demands:
 * hidden bytes would escape the digest. */
static int check_layout(const char *name, const struct header *h, uint64_t size, struct err *e)
{
    uint64_t at = 0;
    int rc = 0;
    const struct header_entry **order = malloc((size_t)h->count * sizeof(void *) + 1);

    if (!order)
        return ERR(e, ERR_NOMEM, "'%s': no memory for the header", name);
    for (int i = 0; i < h->count; i++)
        order[i] = &h->entries[i];
    qsort(order, (size_t)h->count, sizeof *order, by_offset);
    for (int i = 0; i < h->count && rc == 0; i++) {
        const struct header_entry *entry = order[i];
        if (entry->end > size)
            rc = ERR(e, ERR_FORMAT, "'%s': tensor '%s' ends at byte %llu of %llu: the file is cut",
                     name, entry->name.p, (unsigned long long)entry->end, (unsigned long long)size);
        else if (entry->begin != at)
            rc = ERR(e, ERR_FORMAT, "'%s': tensor '%s' %s", name, entry->name.p,
                     entry->begin < at ? "overlaps another one" : "is preceded by unused bytes");
        at = entry->end;
    }
    if (rc == 0 && at != size)
        rc = ERR(e, ERR_FORMAT, "'%s': %llu bytes after the last tensor", name,
                 (unsigned long long)(size - at));
    free(order);
    return rc;
}

/* Data as its dtype may be read: where it lies, or copied when that is not aligned. */
static int place(struct arena *a, const char *name, const unsigned char *at, struct tensor *t,
                 struct err *e)
{
    size_t size = (size_t)dtype_size(t->dtype), count = (size_t)tensor_count(t);

    t->data = at;
    if ((uintptr_t)at % size == 0)
        return 0;
    void *copy = arena_try(a, count ? count : 1, size);
    if (!copy)
        return ERR(e, ERR_NOMEM, "'%s': no memory for the misaligned tensor '%s'", name, t->name.p);
    memcpy(copy, at, count * size);
    t->data = copy;
    return 0;
}

static int fill(struct arena *a, const char *name, const struct header *h,
                const unsigned char *data, struct safetensors *out, struct err *e)
{
    struct map names = {0};
    int rc = 0;
    struct tensor *tensors = arena_try(a, (size_t)h->count + 1, sizeof *tensors);

    if (!tensors)
        return ERR(e, ERR_NOMEM, "'%s': no memory for the header", name);
    for (int i = 0; i < h->count && rc == 0; i++) {
        const struct header_entry *entry = &h->entries[i];
        struct tensor *t = &tensors[i];

        *t = (struct tensor){.name = entry->name, .dims = entry->dims};
        memcpy(t->shape, entry->shape, sizeof t->shape);
        if (!dtype_of(entry->dtype, &t->dtype))
            rc = ERR(e, ERR_UNSUPPORTED, "'%s': tensor '%s' has an unknown dtype", name, t->name.p);
        else if (map_put(&names, t->name, t))
            rc = ERR(e, ERR_FORMAT, "'%s': tensor '%s' is there twice", name, t->name.p);
        else
            rc = place(a, name, data + entry->begin, t, e);
    }
    map_release(&names);
    if (rc)
        return rc;
    out->tensors = tensors;
    out->count = h->count;
    return 0;
}

int safetensors_parse(struct arena *a, const char *name, const void *bytes, size_t n,
                      struct safetensors *out, struct err *e)
{
    const unsigned char *p = bytes;
    struct header h = {0};
    struct safetensors result = {0};
    int rc = 0;

    if (n >= 4 && memcmp(p, "PK\3\4", 4) == 0)
        return ERR(e, ERR_FORMAT,
                   "'%s' is a PyTorch pickle, not a safetensors file: a pickle can run code; "
                   "convert it with safetensors.torch.save_file(torch.load(path, "
                   "weights_only=True), \"model.safetensors\")",
                   name);
    if (n < 8)
        return ERR(e, ERR_FORMAT, "'%s' is too short for a safetensors file (%zu bytes)", name, n);
    uint64_t length = little_endian(p);
    if (length > SAFETENSORS_MAX_HEADER || length > n - 8)
        return ERR(e, ERR_FORMAT,
                   "'%s' is not a safetensors file, or cut: its header should have %llu bytes",
                   name, (unsigned long long)length);
    rc = header_parse(a, name, (struct str){(const char *)p + 8, (size_t)length}, &h, e);
    for (int i = 0; i < h.count && rc == 0; i++) {
        enum dtype d;
        rc = check_entry(name, &h.entries[i], &d, e);
    }
    if (rc == 0)
        rc = check_layout(name, &h, n - 8 - length, e);
    if (rc == 0)
        rc = fill(a, name, &h, p + 8 + length, &result, e);
    if (rc == 0 && h.note_count) {
        result.notes = arena_alloc(a, (size_t)h.note_count * sizeof *h.notes);
        memcpy(result.notes, h.notes, (size_t)h.note_count * sizeof *h.notes);
        result.note_count = h.note_count;
    }
    if (rc == 0)
        *out = result;
    free(h.entries);
    free(h.notes);
    return rc;
}

int safetensors_open(struct arena *a, const char *path, struct safetensors *out, struct err *e)
{
    struct mapping map;
    int rc = file_map(path, &map, e);

    if (rc)
        return rc;
    rc = safetensors_parse(a, path, map.p, map.n, out, e);
    if (rc)
        file_unmap(&map);
    else
        out->map = map;
    return rc;
}

void safetensors_close(struct safetensors *s)
{
    file_unmap(&s->map);
    *s = (struct safetensors){0};
}

struct str safetensors_note(const struct safetensors *s, const char *key)
{
    for (int i = 0; i < s->note_count; i++)
        if (str_is(s->notes[i].key, key))
            return s->notes[i].value;
    return (struct str){0};
}

static size_t size_in_file(const struct tensor *t)
{
    return (size_t)tensor_count(t) * (size_t)dtype_size(t->dtype);
}

/* The header as JSON text (malloc'ed), tensors in the order of their offsets; p is NULL when a name
 * is not UTF-8. */
static struct str header_text(const struct tensor *const *order, int count,
                              const struct safetensors_note *notes, int note_count)
{
    json_t *root = json_object();
    json_int_t at = 0;
    int failed = 0;

    if (note_count) {
        json_t *metadata = json_object();
        for (int i = 0; i < note_count; i++)
            failed |= json_object_setn_new(metadata, notes[i].key.p, notes[i].key.n,
                                           json_stringn(notes[i].value.p, notes[i].value.n));
        failed |= json_object_set_new(root, "__metadata__", metadata);
    }
    for (int i = 0; i < count; i++) {
        const struct tensor *t = order[i];
        json_t *shape = json_array();
        for (int d = 0; d < t->dims; d++)
            failed |= json_array_append_new(shape, json_integer(t->shape[d]));
        json_int_t begin = at;
        at += (json_int_t)size_in_file(t);
        json_t *entry = json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtype_codes[t->dtype], "shape",
                                  shape, "data_offsets", begin, at);
        failed |= json_object_setn_new(root, t->name.p, t->name.n, entry);
    }
    struct str text = str_from(failed ? NULL : json_dumps(root, JSON_COMPACT));
    json_decref(root);
    return text;
}

int safetensors_write(const char *path, const struct tensor *tensors, int count,
                      const struct safetensors_note *notes, int note_count, struct err *e)
{
    int rc = 0, placed = 0;
    size_t data = 0;
    struct str text = {0};
    unsigned char *bytes = NULL;
    const struct tensor **order = calloc((size_t)count + 1, sizeof *order);

    if (!order)
        return ERR(e, ERR_NOMEM, "no memory to write '%s'", path);
    for (int i = 0; i < count; i++) {
        if (!tensors[i].name.n || !tensors[i].data) {
            rc = ERR(e, ERR_ARG, "cannot write '%s': a tensor without name or numbers", path);
            goto out;
        }
        data += size_in_file(&tensors[i]);
    }
    for (int size = 8; size > 0; size /= 2)
        for (int i = 0; i < count; i++)
            if (dtype_size(tensors[i].dtype) == size)
                order[placed++] = &tensors[i];

    text = header_text(order, count, notes, note_count);
    if (!text.p) {
        rc = ERR(e, ERR_ARG, "cannot write '%s': a tensor's name is not UTF-8", path);
        goto out;
    }
    size_t padded = (text.n + 7) / 8 * 8;
    bytes = malloc(8 + padded + data);
    if (!bytes) {
        rc = ERR(e, ERR_NOMEM, "no memory to write '%s'", path);
        goto out;
    }
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(padded >> (8 * i));
    memset(bytes + 8, ' ', padded);
    memcpy(bytes + 8, text.p, text.n);
    unsigned char *at = bytes + 8 + padded;
    for (int i = 0; i < count; i++) {
        size_t n = size_in_file(order[i]);
        if (n)
            memcpy(at, order[i]->data, n);
        at += n;
    }
    rc = file_write(path, bytes, 8 + padded + data, e);
out:
    free(bytes);
    free((void *)(uintptr_t)text.p);
    free(order);
    return rc;
}
