#include "tasks/sample.h"

#include "test.h"

#include <stdio.h>
#include <string.h>

static void allocate(const int64_t *sizes, size_t n, int count, const int *expected)
{
    int out[SAMPLE_STRATA];

    sample_allocate(sizes, n, count, out);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(out[i], expected[i]);
}

static void test_proportional(void **state)
{
    (void)state;
    allocate((int64_t[]){600, 300, 100}, 3, 10, (int[]){6, 3, 1});
    allocate((int64_t[]){1000, 1000}, 2, 7, (int[]){4, 3});
    /* Largest remainders: 3.33, 3.33, 3.34. */
    allocate((int64_t[]){333, 333, 334}, 3, 10, (int[]){3, 3, 4});
}

static void test_small_strata_have_one(void **state)
{
    (void)state;
    allocate((int64_t[]){100000, 1, 1}, 3, 5, (int[]){3, 1, 1});
}

static void test_more_strata_than_samples(void **state)
{
    (void)state;
    allocate((int64_t[]){5, 40, 9, 30}, 4, 2, (int[]){0, 1, 0, 1});
}

static void test_no_more_than_there_are(void **state)
{
    (void)state;
    allocate((int64_t[]){2, 1, 3}, 3, 200, (int[]){2, 1, 3});
    allocate((int64_t[]){0, 4}, 2, 3, (int[]){0, 3});
    allocate((int64_t[]){1, 100}, 2, 50, (int[]){1, 49});
}

/* Records 0 .. n-1, every tenth of the rare kind, in the order that `step` gives. */
static json_t *draw(int count, uint64_t seed, int n, int step)
{
    struct sample *s = sample_new(count, seed);

    assert_non_null(s);
    for (int i = 0; i < n; i++) {
        int k = i * step % n;
        char id[16], key[65];
        snprintf(id, sizeof id, "r%d", k);
        snprintf(key, sizeof key, "%064d", k);
        if (sample_offer(s, k % 10 ? "usual" : "rare", id, key))
            sample_keep(s, json_integer(k));
    }
    json_t *out = sample_take(s);
    sample_free(s);
    return out;
}

static void test_the_order_is_no_matter(void **state)
{
    (void)state;
    json_t *one = draw(20, 7, 1000, 1), *other = draw(20, 7, 1000, 333),
           *third = draw(20, 8, 1000, 1);
    size_t i, rare = 0;
    json_t *value;

    assert_int_equal(json_array_size(one), 20);
    json_array_foreach(one, i, value) rare += json_integer_value(value) % 10 == 0;
    assert_int_equal(rare, 2);
    /* Strata come in the order in which they were seen; what is in them is the same. */
    json_array_foreach(one, i, value)
    {
        size_t k = 0;
        while (k < 20 && !json_equal(json_array_get(other, k), value))
            k++;
        assert_int_not_equal(k, 20);
    }
    assert_false(json_equal(one, third));
    json_decref(one);
    json_decref(other);
    json_decref(third);
}

/* Every record is drawn as often as every other. */
static void test_uniform(void **state)
{
    int hits[50] = {0};
    size_t i;
    json_t *value;

    (void)state;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        json_t *out = draw(5, seed, 50, 1);
        json_array_foreach(out, i, value) hits[json_integer_value(value)]++;
        json_decref(out);
    }
    /* One of 5 rare ones, four of 45 usual: 400 and 178 of 2000; five standard deviations. */
    for (int k = 0; k < 50; k++)
        assert_in_range(hits[k], k % 10 ? 113 : 310, k % 10 ? 243 : 490);
}

static void test_equal_keys_are_one(void **state)
{
    (void)state;
    struct sample *s = sample_new(3, 1);
    char id[16];

    for (int i = 0; i < 10; i++) {
        snprintf(id, sizeof id, "r%d", i);
        if (sample_offer(s, "", id, "the same"))
            sample_keep(s, json_integer(i));
    }
    json_t *out = sample_take(s);
    assert_int_equal(json_array_size(out), 1);
    json_decref(out);
    sample_free(s);
}

static void test_many_strata(void **state)
{
    (void)state;
    struct sample *s = sample_new(10, 1);
    char id[16];

    for (int i = 0; i < 1000; i++) {
        snprintf(id, sizeof id, "s%d", i);
        if (sample_offer(s, id, id, id))
            sample_keep(s, i % 2 ? json_integer(i) : NULL); /* what cannot be shown is left out */
    }
    json_t *out = sample_take(s);
    assert_in_range(json_array_size(out), 1, 10);
    json_decref(out);
    sample_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_proportional),
        cmocka_unit_test(test_small_strata_have_one),
        cmocka_unit_test(test_more_strata_than_samples),
        cmocka_unit_test(test_no_more_than_there_are),
        cmocka_unit_test(test_the_order_is_no_matter),
        cmocka_unit_test(test_uniform),
        cmocka_unit_test(test_equal_keys_are_one),
        cmocka_unit_test(test_many_strata),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
