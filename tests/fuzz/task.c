/* Any bytes as the document of a task: refused with at least one problem, or read, and then what
 * would be stored reads as itself. The same bytes as a record give no name that leaves the
 * destination. */
#include "fuzz.h"

#include "base/json.h"
#include "tasks/record_json.h"
#include "tasks/template.h"

#include <stdlib.h>
#include <string.h>

static const struct tasks tasks = {.data = "data"};

static void check_again(const struct task_document *d, struct arena *a)
{
    struct task task = {.name = d->name, .spec = json_compact(d->written, a), .folder = "data"};
    struct task_document *again;
    struct err e;

    if (task_document_of(&tasks, &task, &again, &e) ||
        strcmp(task.spec, json_compact(again->written, a)) != 0)
        abort();
    task_document_free(again);
}

static void check_name(const json_t *record, struct arena *a)
{
    const char *id = json_text(record, "name", "7"), *name;
    const struct template_value values[] = {{"record_id", id}, {"ext", "png"}, {NULL, NULL}};
    struct mapping_problem problem;
    struct str rest, part;
    struct err e;

    if (template_name("a/{record_id}/{field:name}.{ext}", values, record, 1024, a, &name, &problem,
                      &e))
        return;
    rest = str_from(name);
    while (str_cut(&rest, '/', &part))
        if (!part.n || str_is(part, ".") || str_is(part, ".."))
            abort();
    if (strlen(name) > 1024 || strpbrk(name, "\\\n\r\t\x7f"))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct task_problems problems = {0};
    struct task_document *d;
    struct arena a = {0};
    json_t *json;
    struct err e;

    if (json_read((struct str){(const char *)bytes, n}, &json, &e))
        return 0;
    int rc = task_document_read(&tasks, json, false, "data", &a, &d, &problems, &e);
    if (rc == 0) {
        check_again(d, &a);
        task_document_free(d);
    } else if (rc != ERR_NOMEM && !problems.count) {
        abort();
    }
    check_name(json, &a);
    json_decref(json);
    arena_release(&a);
    return 0;
}
