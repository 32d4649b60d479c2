#include "base/log.h"

#include "base/json.h"

#include "test.h"

static char text[65536];

static FILE *open_sink(enum log_level level, bool json)
{
    memset(text, 0, sizeof text);
    FILE *f = fmemopen(text, sizeof text, "w");
    assert_non_null(f);
    log_open(&(struct log_options){.level = level, .json = json, .file = f});
    return f;
}

static void close_sink(FILE *f)
{
    log_open(&(struct log_options){.level = LOG_OFF});
    fclose(f);
}

static void lines_are_json(void **state)
{
    struct err e = {0};
    json_t *line;
    (void)state;

    FILE *f = open_sink(LOG_INFO, true);
    struct log_context former = log_enter((struct log_context){.request_id = "r-1", .job = "j"});
    LOG(LOG_WARNING, "said \"so\"\n", LOG_TEXT("path", "a\\b\x01"), LOG_NUMBER("seconds", 0.25),
        LOG_TEXT("none", NULL));
    log_leave(former);
    close_sink(f);
    assert_int_equal(json_read(str_from(text), &line, &e), 0);
    assert_string_equal(json_text(line, "level", ""), "warning");
    assert_string_equal(json_text(line, "event", ""), "said \"so\"\n");
    assert_string_equal(json_text(line, "path", ""), "a\\b\x01");
    assert_string_equal(json_text(line, "request_id", ""), "r-1");
    assert_string_equal(json_text(line, "job", ""), "j");
    assert_string_equal(json_text(line, "none", "?"), "");
    assert_true(json_num(line, "seconds", 0) == 0.25);
    assert_null(json_object_get(line, "trace_id"));
    assert_null(log_here().request_id);
    json_decref(line);
}

static void lower_levels_are_silent(void **state)
{
    (void)state;

    FILE *f = open_sink(LOG_WARNING, false);
    LOG(LOG_INFO, "not this");
    LOG(LOG_ERROR, "but this", LOG_NUMBER("n", 3));
    close_sink(f);
    assert_null(strstr(text, "not this"));
    assert_non_null(strstr(text, "error   but this n=3\n"));
}

static void a_line_too_long_is_named(void **state)
{
    static char long_text[20000];
    (void)state;

    memset(long_text, 'x', sizeof long_text - 1);
    FILE *f = open_sink(LOG_INFO, true);
    LOG(LOG_INFO, "long", LOG_TEXT("text", long_text));
    close_sink(f);
    assert_string_equal(text, "long: a line was longer than 16384 bytes\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_json),
        cmocka_unit_test(lower_levels_are_silent),
        cmocka_unit_test(a_line_too_long_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
