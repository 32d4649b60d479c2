/* Any bytes as a file of JSON Lines or CSV (the first byte says which, and how many records a page
 * has): read in pages, and again one by one with a fresh reader at every position. */
#include "fuzz.h"

#include "base/json.h"
#include "datasets/dataset.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct found {
    struct record *records;
    size_t count;
};

static void read_all(struct dataset *d, size_t page, struct arena *a, struct found *out)
{
    struct record *records;
    struct err e;
    size_t count, room = 0;

    *out = (struct found){0};
    do {
        if (dataset_next(d, page, a, &records, &count, &e))
            abort();
        if (out->count + count > room) {
            room = 2 * (out->count + count);
            out->records = realloc(out->records, room * sizeof *out->records);
        }
        if (count)
            memcpy(out->records + out->count, records, count * sizeof *records);
        out->count += count;
    } while (count);
}

static void check_same(const struct record *a, const struct record *b)
{
    if (strcmp(a->id, b->id) != 0 || strcmp(a->position, b->position) != 0 ||
        a->number != b->number || !a->fields != !!a->problem || !a->problem != !b->problem ||
        (a->fields && !json_equal(a->fields, b->fields)))
        abort();
}

static void read_from_every_position(const json_t *source, const struct found *whole,
                                     struct arena *a)
{
    struct dataset *d;
    struct record *one;
    struct err e;
    size_t count;

    if (dataset_open(source, NULL, &d, &e))
        abort();
    for (size_t i = 0; i < whole->count && i < 20; i++) {
        if (dataset_seek(d, whole->records[i].position, &e) ||
            dataset_next(d, 1, a, &one, &count, &e) || count != (i + 1 < whole->count))
            abort();
        if (count)
            check_same(&whole->records[i + 1], one);
        records_release(one, count);
    }
    dataset_close(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct arena a = {0};
    struct found whole;
    struct dataset *d;
    struct err e;
    int64_t count;
    int fd = n ? memfd_create("records", MFD_CLOEXEC) : -1;

    if (fd < 0 || write(fd, bytes + 1, n - 1) != (ssize_t)(n - 1))
        return 0;
    json_t *source = json_pack("{s:s, s:s}", "type", bytes[0] & 1 ? "csv" : "jsonl", "path",
                               arena_printf(&a, "/proc/self/fd/%d", fd));
    if (dataset_open(source, NULL, &d, &e) == 0) {
        read_all(d, 1 + (bytes[0] >> 1) % 8, &a, &whole);
        if (dataset_count(d, &count, &e) || count != (int64_t)whole.count)
            abort();
        read_from_every_position(source, &whole, &a);
        records_release(whole.records, whole.count);
        free(whole.records);
        dataset_close(d);
    }
    json_decref(source);
    arena_release(&a);
    close(fd);
    return 0;
}
