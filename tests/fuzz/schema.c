/* Any JSON as the body of any operation: refused with problems that can be shown, or taken, and
 * then taken again with its defaults. The first byte chooses the operation. */
#include "fuzz.h"

#include "api/api_examples.h"

#include <stdlib.h>
#include <string.h>

static void look_at(const struct schema_problem *problems, size_t count)
{
    if (count < 1 || count > SCHEMA_MAX_PROBLEMS)
        abort();
    for (size_t i = 0; i < count; i++) {
        json_t *pointer = json_string(problems[i].pointer);
        if (!pointer || !problems[i].expected[0] ||
            (problems[i].pointer[0] && problems[i].pointer[0] != '/'))
            abort();
        json_decref(pointer);
    }
}

static void convert(const struct schema *s, const uint8_t *bytes, size_t n)
{
    char *text = calloc(n + 1, 1);

    if (!text)
        return;
    memcpy(text, bytes, n);
    for (size_t i = 0; i < s->member_count; i++)
        json_decref(schema_convert(s->members[i].schema, text));
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct arena a = {0};
    struct schema_problem *problems = NULL;
    size_t count = 0;

    if (n < 1)
        return 0;
    const struct schema *s = api_examples[bytes[0] % api_example_count].schema;
    json_t *value = json_loadb((const char *)bytes + 1, n - 1, JSON_REJECT_DUPLICATES, NULL);
    if (!value)
        convert(s, bytes + 1, n - 1);
    else if (schema_check(s, value, &a, &problems, &count))
        look_at(problems, count);
    else if (schema_check(s, value, &a, &problems, &count))
        abort();
    json_decref(value);
    arena_release(&a);
    return 0;
}
