#include "ops/metrics.h"

#include "test.h"

static const char *text_of(struct metrics *m, struct buf *b)
{
    buf_init(b, 1 << 20);
    assert_int_equal(metrics_text(m, b), 0);
    return b->p ? b->p : "";
}

static void counters_gauges_and_histograms_are_written(void **state)
{
    struct metrics *m = metrics_new();
    char labels[METRIC_LABELS];
    struct buf b;
    (void)state;

    metrics_labels(labels, "route", "get_\"x\"\\", "status", "200\n", NULL);
    assert_string_equal(labels, "route=\"get_\\\"x\\\"\\\\\",status=\"200\\n\"");
    metrics_labels(labels, "route", "list", "status", "200", NULL);
    metrics_add(m, METRIC_HTTP_REQUESTS, labels, 1);
    metrics_add(m, METRIC_HTTP_REQUESTS, labels, 2);
    metrics_set(m, METRIC_SOCKETS, "", 5);
    metrics_set(m, METRIC_SOCKETS, "", 4);
    metrics_observe(m, METRIC_HTTP_SECONDS, "", 0.02);
    metrics_observe(m, METRIC_HTTP_SECONDS, "", 2);
    const char *text = text_of(m, &b);
    assert_non_null(strstr(text,
                           "# TYPE cauldron_http_requests_total counter\n"
                           "cauldron_http_requests_total{route=\"list\",status=\"200\"} 3\n"));
    assert_non_null(strstr(text, "# TYPE cauldron_sockets gauge\ncauldron_sockets 4\n"));
    assert_non_null(strstr(text, "cauldron_http_request_seconds_bucket{le=\"0.01\"} 0\n"));
    assert_non_null(strstr(text, "cauldron_http_request_seconds_bucket{le=\"0.025\"} 1\n"));
    assert_non_null(strstr(text, "cauldron_http_request_seconds_bucket{le=\"2.5\"} 2\n"));
    assert_non_null(strstr(text, "cauldron_http_request_seconds_bucket{le=\"+Inf\"} 2\n"));
    assert_non_null(strstr(text, "cauldron_http_request_seconds_count 2\n"));
    assert_null(strstr(text, "cauldron_logins_total")); /* nothing happened there */
    buf_release(&b);
    metrics_free(m);
}

static void a_family_is_bounded(void **state)
{
    struct metrics *m = metrics_new();
    char labels[METRIC_LABELS], name[32];
    struct buf b;
    (void)state;

    for (int i = 0; i < METRIC_SERIES + 7; i++) {
        snprintf(name, sizeof name, "model %d", i);
        metrics_labels(labels, "model", name, NULL);
        metrics_add(m, METRIC_PICTURES, labels, 1);
    }
    const char *text = text_of(m, &b);
    assert_non_null(strstr(text, "cauldron_metrics_dropped_total 7\n"));
    assert_null(strstr(text, "model 500"));
    buf_release(&b);
    metrics_free(m);
}

static void a_label_that_does_not_fit_is_left_out(void **state)
{
    char labels[METRIC_LABELS], value[400];
    (void)state;

    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = 0;
    metrics_labels(labels, "a", "1", "b", value, "c", "3", NULL);
    assert_string_equal(labels, "a=\"1\",c=\"3\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_gauges_and_histograms_are_written),
        cmocka_unit_test(a_family_is_bounded),
        cmocka_unit_test(a_label_that_does_not_fit_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
