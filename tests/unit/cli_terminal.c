#include "cli/terminal.h"

#include "test.h"

#include <signal.h>

static const char *text(const char *unit, int64_t done, int64_t total, double seconds, int columns)
{
    static char out[256];
    struct progress p = {.unit = unit, .total = total, .done = done};

    progress_text(&p, seconds, columns, out, sizeof out);
    return out;
}

static void bars_say_how_far_and_how_long(void **state)
{
    (void)state;
    assert_string_equal(text("step", 5, 20, 6, 60),
                        "step 5/20 [=====>                   ] 1.2 s/step, 18 s left");
    assert_string_equal(text("step", 0, 20, 0, 40), "step 0/20 [                           ]");
    assert_string_equal(text("step", 20, 20, 24, 60),
                        "step 20/20 [=========================] 1.2 s/step, 0 s left");
    assert_string_equal(text("step", 1, 300, 30, 70),
                        "step 1/300 [                             ] 30 s/step, 2 h 29 min left");
    assert_string_equal(text("step", 1, 20, 10, 60),
                        "step 1/20 [>                   ] 10 s/step, 3 min 10 s left");
}

static void bytes_have_units(void **state)
{
    (void)state;
    assert_string_equal(text("B", 1500000, 3000000000, 1, 70),
                        "1.5 MB of 3.0 GB [                       ] 1.5 MB/s, 33 min 19 s left");
    assert_string_equal(text("B", 999, 999, 1, 50),
                        "999 B of 999 B [==============] 999 B/s, 0 s left");
    assert_string_equal(text("B", 12345, 20000, 2, 60),
                        "12 kB of 20 kB [=============>         ] 6.2 kB/s, 1 s left");
}

static void narrow_terminals_cut_the_line(void **state)
{
    (void)state;
    for (int columns = 20; columns < 80; columns++)
        assert_true((int)strlen(text("step", 5, 20, 6, columns)) < columns);
    assert_string_equal(text("step", 5, 0, 0, 20), "step 5/0 [        ]");
}

static void nothing_is_drawn_where_nobody_looks(void **state)
{
    struct progress p = {.unit = "step", .total = 3};
    (void)state;

    progress_set(&p, 3);
    progress_end(&p);
    assert_int_equal(p.done, 3);
    assert_null(p.to);
}

static void a_bar_is_drawn_and_wiped(void **state)
{
    char out[512] = "";
    struct progress p = {.unit = "step", .total = 2, .to = fmemopen(out, sizeof out, "w")};
    (void)state;

    FILE *to = p.to;
    progress_set(&p, 1);
    progress_set(&p, 2);
    progress_end(&p);
    fclose(to);
    assert_non_null(strstr(out, "\rstep 2/2 ["));
    assert_string_equal(out + strlen(out) - 4, "\r\x1b[K");
}

static void signals_set_the_flag(void **state)
{
    (void)state;
    interrupt_catch();
    assert_false(interrupted());
    raise(SIGPIPE); /* ignored */
    assert_false(interrupted());
    raise(SIGTERM);
    assert_true(interrupted());
    assert_int_equal(interrupt_status(), 143);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bars_say_how_far_and_how_long),
        cmocka_unit_test(bytes_have_units),
        cmocka_unit_test(narrow_terminals_cut_the_line),
        cmocka_unit_test(nothing_is_drawn_where_nobody_looks),
        cmocka_unit_test(a_bar_is_drawn_and_wiped),
        cmocka_unit_test(signals_set_the_flag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
