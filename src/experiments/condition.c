#include "experiments/condition.h"

#include "base/json.h"
#include "experiments/parameters.h"

#include <string.h>

enum { DEEPEST_NOT = 8, LONGEST_IN = 1000 };

static bool scalar(const json_t *v)
{
    return json_is_string(v) || json_is_number(v) || json_is_null(v);
}

/* A value to compare with: of the parameter's type, though not necessarily in its limits. */
static void check_scalar(const struct parameter *p, const json_t *v, struct spec_problems *problems,
                         const struct at *at)
{
    if (!scalar(v))
        problem(problems, at, "a text or a number");
    else if (p && parameter_is_numeric(p) && p->kind != PARAMETER_SEED && !json_is_number(v))
        problem(problems, at, "a number");
    else if (p && !parameter_is_numeric(p) && json_is_number(v))
        problem(problems, at, "a text");
}

static void check_test(const struct parameter *p, const json_t *test, int depth,
                       struct spec_problems *problems, const struct at *at)
{
    const char *key;
    json_t *v, *item;
    size_t i;

    if (!json_is_object(test)) {
        check_scalar(p, test, problems, at);
        return;
    }
    if (!json_object_size(test))
        problem(problems, at, "at least one of eq, in, min, max, not");
    json_object_foreach((json_t *)test, key, v)
    {
        struct at here = {at, key, 0};
        if (strcmp(key, "eq") == 0) {
            check_scalar(p, v, problems, &here);
        } else if (strcmp(key, "in") == 0) {
            if (!json_is_array(v) || !json_array_size(v) || json_array_size(v) > LONGEST_IN)
                problem(problems, &here, "a list of 1 to %d values", LONGEST_IN);
            else
                json_array_foreach(v, i, item)
                {
                    check_scalar(p, item, problems, &(struct at){&here, NULL, i});
                }
        } else if (strcmp(key, "min") == 0 || strcmp(key, "max") == 0) {
            if (!json_is_number(v))
                problem(problems, &here, "a number");
            else if (p && !parameter_is_numeric(p))
                problem(problems, &here, "eq, in or not: %s is a text", p->name);
        } else if (strcmp(key, "not") == 0) {
            if (depth == DEEPEST_NOT)
                problem(problems, &here, "at most %d times not", DEEPEST_NOT);
            else
                check_test(p, v, depth + 1, problems, &here);
        } else {
            problem(problems, &here, "eq, in, min, max or not");
        }
    }
}

void condition_check(const json_t *condition, const json_t *variables,
                     struct spec_problems *problems, const struct at *at)
{
    const char *key;
    json_t *test;

    if (!json_is_object(condition) || !json_object_size(condition)) {
        problem(problems, at, "an object of parameters and tests");
        return;
    }
    json_object_foreach((json_t *)condition, key, test)
    {
        struct at here = {at, key, 0};
        const struct parameter *p = parameter_by_name(key);
        if (!p && !json_object_get(variables, key))
            problem(problems, &here, "a parameter or a variable of this specification");
        else
            check_test(p, test, 0, problems, &here);
    }
}

static bool equal(const json_t *a, const json_t *b)
{
    if (json_is_integer(a) && json_is_integer(b))
        return json_integer_value(a) == json_integer_value(b);
    if (json_is_number(a) && json_is_number(b))
        return json_number_value(a) == json_number_value(b);
    return json_equal(a, b);
}

static enum truth least(enum truth a, enum truth b)
{
    return a < b ? a : b;
}

static enum truth truth(bool holds)
{
    return holds ? TRUTH_TRUE : TRUTH_FALSE;
}

static enum truth test_truth(const json_t *test, const json_t *value)
{
    enum truth all = TRUTH_TRUE;
    const char *key;
    json_t *v, *item;
    size_t i;

    if (!value)
        return TRUTH_UNKNOWN;
    if (!json_is_object(test))
        return truth(equal(test, value));
    json_object_foreach((json_t *)test, key, v)
    {
        enum truth one = TRUTH_FALSE;
        if (strcmp(key, "eq") == 0) {
            one = truth(equal(v, value));
        } else if (strcmp(key, "in") == 0) {
            json_array_foreach(v, i, item)
            {
                if (equal(item, value))
                    one = TRUTH_TRUE;
            }
        } else if (strcmp(key, "min") == 0) {
            one = truth(json_is_number(value) && json_number_value(value) >= json_number_value(v));
        } else if (strcmp(key, "max") == 0) {
            one = truth(json_is_number(value) && json_number_value(value) <= json_number_value(v));
        } else {
            one = (enum truth)(TRUTH_TRUE - test_truth(v, value));
        }
        all = least(all, one);
    }
    return all;
}

enum truth condition_truth(const json_t *condition, const json_t *parameters,
                           const json_t *variables)
{
    enum truth all = TRUTH_TRUE;
    const char *key;
    json_t *test;

    json_object_foreach((json_t *)condition, key, test)
    {
        const json_t *value = json_object_get(parameters, key);
        if (!value)
            value = json_object_get(variables, key);
        all = least(all, test_truth(test, value));
    }
    return all;
}

static const char *value_text(const json_t *v, struct arena *a)
{
    return json_is_string(v) ? json_string_value(v) : json_compact(v, a);
}

static const char *test_text(const json_t *test, bool negated, struct arena *a)
{
    static const char *const words[][3] = {{"eq", "", "not "},
                                           {"min", "at least ", "below "},
                                           {"max", "at most ", "above "},
                                           {"in", "one of ", "none of "}};
    const char *text = "", *key;
    json_t *v, *item;
    size_t i;

    if (!json_is_object(test))
        return arena_printf(a, "%s%s", negated ? "not " : "", value_text(test, a));
    json_object_foreach((json_t *)test, key, v)
    {
        const char *one = "";
        if (strcmp(key, "not") == 0) {
            one = test_text(v, !negated, a);
        } else if (strcmp(key, "in") == 0) {
            json_array_foreach(v, i, item)
            {
                one = arena_printf(a, "%s%s%s", one, i ? ", " : "", value_text(item, a));
            }
            one = arena_printf(a, "%s%s", words[3][1 + negated], one);
        } else {
            for (i = 0; i < 3; i++)
                if (strcmp(key, words[i][0]) == 0)
                    one = arena_printf(a, "%s%s", words[i][1 + negated], value_text(v, a));
        }
        text = arena_printf(a, "%s%s%s", text, text[0] ? (negated ? " or " : " and ") : "", one);
    }
    return text;
}

const char *condition_text(const json_t *condition, struct arena *a)
{
    const char *text = "", *key;
    json_t *test;

    json_object_foreach((json_t *)condition, key, test)
    {
        text = arena_printf(a, "%s%s%s %s", text, text[0] ? " and " : "", key,
                            test_text(test, false, a));
    }
    return text;
}
