/*
 * What tests of src/datasets talk to: one JSON command a line on stdin, one JSON answer a line on
 * stdout; errors are {"error": code, "message"}.
 *
 *   {"do": "open", "source": {...}}              {"name"}
 *   {"do": "next", "limit": 200}                 {"records": [{"id", "number", "position",
 * "fields", "problem"}]}
 *   {"do": "seek", "position": null}  {"do": "count"}  {"do": "check", "source": {...}}
 *   {"do": "results", "document": {...}, "source": {...}}  {"do": "ping"}
 *   {"do": "put", "rows": [{"key", "record_id", "number", "body"}]}    {"missing"}
 *   {"do": "finish"}
 *   {"do": "config", "from": {...}, "name", "version"}    {"config"}
 *
 * Options: --folder F, --inside, --allow HOSTS, --connection NAME=URI.
 */
#include "base/json.h"
#include "base/log.h"
#include "datasets/dataset.h"
#include "datasets/model_configs.h"
#include "datasets/results.h"

#include <stdlib.h>
#include <string.h>

struct state {
    struct dataset_access access;
    struct dataset *dataset;
    struct results *results;
};

static const char *named_connection(void *user, const char *name)
{
    const char *setting = user, *equals = setting ? strchr(setting, '=') : NULL;
    size_t n = equals ? (size_t)(equals - setting) : 0;

    return equals && strncmp(name, setting, n) == 0 && !name[n] ? equals + 1 : NULL;
}

static json_t *record_json(const struct record *r)
{
    return json_pack("{s:s, s:I, s:s?, s:O?, s:s?}", "id", r->id, "number", (json_int_t)r->number,
                     "position", r->position, "fields", r->fields, "problem", r->problem);
}

static int do_open(struct state *s, const json_t *c, json_t *answer, struct err *e)
{
    struct dataset *d;
    int rc = dataset_open(json_object_get(c, "source"), &s->access, &d, e);

    if (rc)
        return rc;
    dataset_close(s->dataset);
    s->dataset = d;
    json_object_set_new(answer, "name", json_string(dataset_name(d)));
    return 0;
}

static int do_next(struct state *s, const json_t *c, json_t *answer, struct err *e)
{
    struct arena a = {0};
    struct record *records = NULL;
    size_t count = 0;
    json_t *list = json_array();
    int rc = dataset_next(s->dataset, (size_t)json_int(c, "limit", 200), &a, &records, &count, e);

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, record_json(&records[i]));
    json_object_set_new(answer, "records", list);
    records_release(records, count);
    arena_release(&a);
    return rc;
}

static int do_seek(struct state *s, const json_t *c, json_t *answer, struct err *e)
{
    (void)answer;
    return dataset_seek(s->dataset, json_text(c, "position", NULL), e);
}

static int do_count(struct state *s, const json_t *c, json_t *answer, struct err *e)
{
    int64_t n = 0;
    int rc = dataset_count(s->dataset, &n, e);

    (void)c;
    json_object_set_new(answer, "count", json_integer(n));
    return rc;
}

static int do_check(struct state *s, const json_t *c, json_t *answer, struct err *e)
{
    struct arena a = {0};
    struct dataset_problem problem = {"", ""};
    const json_t *source = json_object_get(c, "source"), *document = json_object_get(c, "document"),
                 *from = json_object_get(c, "from");
    int rc = document ? results_check(document, source, &s->access, &a, &problem, e)
             : from   ? model_config_check(from, &s->access, &a, &problem, e)
                      : dataset_check(source, &s->access, &a, &problem, e);

    json_object_set_new(answer, "pointer", json_string(problem.pointer));
    json_object_set_new(
        answer, "local",
        json_boolean(document ? results_are_local(document) : dataset_is_local(source)));
    arena_release(&a);
    return rc;
}

static int do_results(struct state *s, const json_t *c, json_t *answer, struct err *e)
{
    struct results *r;
    int rc = results_open(json_object_get(c, "document"), json_object_get(c, "source"), &s->access,
                          &r, e);

    (void)answer;
    if (rc)
        return rc;
    results_close(s->results);
    s->results = r;
    return 0;
}

static int do_ping(struct state *s, const json_t *c, json_t *answer, struct err *e)
{
    (void)c;
    (void)answer;
    return results_ping(s->results, e);
}

static int do_put(struct state *s, const json_t *c, json_t *answer, struct err *e)
{
    const json_t *rows = json_object_get(c, "rows");
    size_t count = json_array_size(rows);
    struct result *list = calloc(count + 1, sizeof *list);
    int64_t missing = 0;

    for (size_t i = 0; i < count; i++) {
        const json_t *row = json_array_get(rows, i);
        list[i] = (struct result){.key = json_text(row, "key", ""),
                                  .record_id = json_text(row, "record_id", ""),
                                  .number = json_int(row, "number", 0),
                                  .body = json_object_get(row, "body")};
    }
    int rc = results_put(s->results, list, count, &missing, e);
    json_object_set_new(answer, "missing", json_integer(missing));
    free(list);
    return rc;
}

static int do_finish(struct state *s, const json_t *c, json_t *answer, struct err *e)
{
    (void)c;
    (void)answer;
    return results_finish(s->results, e);
}

static int do_config(struct state *s, const json_t *c, json_t *answer, struct err *e)
{
    json_t *config;
    int rc = model_config_find(json_object_get(c, "from"), json_text(c, "name", ""),
                               json_int(c, "version", 0), &s->access, &config, e);

    if (rc == 0)
        json_object_set_new(answer, "config", config);
    return rc;
}

static const struct {
    const char *name;
    int (*run)(struct state *s, const json_t *c, json_t *answer, struct err *e);
} commands[] = {
    {"open", do_open},     {"next", do_next},       {"seek", do_seek}, {"count", do_count},
    {"check", do_check},   {"results", do_results}, {"ping", do_ping}, {"put", do_put},
    {"finish", do_finish}, {"config", do_config},
};

static void answer_line(struct state *s, const char *line)
{
    json_t *c, *answer = json_object();
    struct err e = {0};
    int rc = json_read(str_from(line), &c, &e);

    if (rc == 0) {
        rc = ERR(&e, ERR_ARG, "no such command");
        for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
            if (strcmp(commands[i].name, json_text(c, "do", "")) == 0)
                rc = commands[i].run(s, c, answer, &e);
        json_decref(c);
    }
    if (rc) {
        json_object_set_new(answer, "error", json_string(err_name(rc)));
        json_object_set_new(answer, "message", json_string(e.message));
    }
    json_dumpf(answer, stdout, JSON_COMPACT);
    puts("");
    fflush(stdout);
    json_decref(answer);
}

int main(int argc, char **argv)
{
    struct state s = {.access.connection = named_connection};
    struct egress *egress = NULL;
    struct err e;
    char *line = NULL;
    size_t room = 0;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--inside") == 0)
            s.access.inside = true;
        else if (i + 1 < argc && strcmp(argv[i], "--folder") == 0)
            s.access.folder = argv[++i];
        else if (i + 1 < argc && strcmp(argv[i], "--connection") == 0)
            s.access.user = argv[++i];
        else if (i + 1 < argc && strcmp(argv[i], "--allow") == 0 &&
                 egress_new(argv[++i], &egress, &e) == 0)
            s.access.egress = egress;
        else
            return 2;
    }
    datasets_init();
    log_open(&(struct log_options){.level = LOG_WARNING, .file = stderr});
    while (getline(&line, &room, stdin) > 0)
        answer_line(&s, line);
    free(line);
    dataset_close(s.dataset);
    results_close(s.results);
    egress_free(egress);
    datasets_end();
    return 0;
}
