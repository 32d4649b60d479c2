/* Pulls and checks in the background: order, cancelling, what is told, ends. The hub itself is
 * tested over the API (tests/api/test_model_tasks.py); here it is a port that nobody listens on. */
#include "models/tasks.h"

#include "test.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static struct err e;

/* What was told, by everybody's threads. */
struct heard {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char id[64];
    enum model_task_status last;
    int events, after_end;
};

static void hear(void *user, const struct model_task *t)
{
    struct heard *h = user;

    pthread_mutex_lock(&h->lock);
    if (strcmp(h->id, t->id) == 0 && h->last != MODEL_TASK_RUNNING)
        h->after_end++;
    snprintf(h->id, sizeof h->id, "%s", t->id);
    h->last = t->status;
    h->events++;
    pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->lock);
}

static void wait_for_end(struct heard *h, const char *id)
{
    pthread_mutex_lock(&h->lock);
    while (strcmp(h->id, id) != 0 || h->last == MODEL_TASK_RUNNING)
        pthread_cond_wait(&h->changed, &h->lock);
    pthread_mutex_unlock(&h->lock);
}

static struct model_tasks *open_tasks(struct heard *h, const char *no_hub)
{
    struct model_tasks_options o = {
        .hub = {.endpoint = "http://127.0.0.1:9", .cache = "/nonexistent/cache"},
        .no_hub = no_hub,
        .user = h,
        .changed = hear};
    struct model_tasks *tasks;

    *h = (struct heard){.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    assert_int_equal(model_tasks_open(&o, &tasks, &e), 0);
    return tasks;
}

static const char *demo(struct arena *a)
{
    return arena_printf(a, "%s/models/demo", getenv("CAULDRON_SOURCE"));
}

static void a_check_is_told_to_its_end(void **state)
{
    struct heard h;
    struct arena a = {0};
    struct model_task task, *list;
    size_t count;
    (void)state;

    struct model_tasks *tasks = open_tasks(&h, NULL);
    assert_int_equal(model_tasks_verify(tasks, "demo", demo(&a), &a, &task, &e), 0);
    assert_int_equal(task.status, MODEL_TASK_RUNNING);
    assert_int_equal(task.total, -1);
    wait_for_end(&h, task.id);
    assert_int_equal(model_tasks_get(tasks, task.id, &a, &task, &e), 0);
    assert_int_equal(task.status, MODEL_TASK_SUCCEEDED);
    assert_true(task.done > 0 && task.done == task.total);
    assert_int_equal(strncmp(task.detail, "digest ", 7), 0);
    assert_true(task.finished_at >= task.created_at);
    assert_int_equal(model_tasks_cancel(tasks, task.id, &a, &task, &e), ERR_CONFLICT);
    model_tasks_list(tasks, &a, &list, &count);
    assert_int_equal(count, 1);
    assert_int_equal(h.after_end, 0);
    model_tasks_close(tasks);
    arena_release(&a);
}

static void what_cannot_be_read_fails_in_words(void **state)
{
    struct heard h;
    struct arena a = {0};
    struct model_task task;
    (void)state;

    struct model_tasks *tasks = open_tasks(&h, NULL);
    assert_int_equal(model_tasks_verify(tasks, "none", "/nonexistent/none", &a, &task, &e), 0);
    wait_for_end(&h, task.id);
    assert_int_equal(model_tasks_get(tasks, task.id, &a, &task, &e), 0);
    assert_int_equal(task.status, MODEL_TASK_FAILED);
    assert_int_equal(task.code, ERR_NOT_FOUND);
    assert_non_null(strstr(task.error, "/nonexistent/none"));
    assert_null(task.detail);
    model_tasks_close(tasks);
    arena_release(&a);
}

/* The first one tries for seconds to reach its hub. */
static void one_after_the_other_and_cancelled(void **state)
{
    struct heard h;
    struct arena a = {0};
    struct model_task first, second, third, again, *list;
    size_t count;
    (void)state;

    struct model_tasks *tasks = open_tasks(&h, NULL);
    assert_int_equal(model_tasks_pull(tasks, "a/b", "main", NULL, &a, &first, &e), 0);
    assert_int_equal(model_tasks_pull(tasks, "a/b", "main", NULL, &a, &again, &e), ERR_CONFLICT);
    assert_int_equal(model_tasks_pull(tasks, "a/b", "main", "fp16", &a, &again, &e), 0);
    assert_int_equal(model_tasks_verify(tasks, "demo", demo(&a), &a, &second, &e), 0);
    assert_int_equal(model_tasks_verify(tasks, "same", demo(&a), &a, &third, &e), 0);
    model_tasks_list(tasks, &a, &list, &count);
    assert_int_equal(count, 4);
    assert_string_equal(list[0].id, third.id);
    assert_string_equal(list[3].id, first.id);
    assert_int_equal(model_tasks_cancel(tasks, again.id, &a, &again, &e), 0);
    for (int i = 0; i < 2; i++) { /* again is the same */
        assert_int_equal(model_tasks_cancel(tasks, first.id, &a, &first, &e), 0);
        assert_int_equal(first.status, MODEL_TASK_CANCELLED);
        assert_true(first.finished_at > 0);
    }
    wait_for_end(&h, third.id);
    assert_int_equal(model_tasks_get(tasks, second.id, &a, &second, &e), 0);
    assert_int_equal(second.status, MODEL_TASK_SUCCEEDED);
    assert_int_equal(model_tasks_get(tasks, first.id, &a, &first, &e), 0);
    assert_int_equal(first.status, MODEL_TASK_CANCELLED);
    assert_null(first.error);
    assert_int_equal(h.after_end, 0);
    model_tasks_close(tasks);
    arena_release(&a);
}

static void the_end_does_not_wait_for_them(void **state)
{
    struct heard h;
    struct arena a = {0};
    struct model_task task;
    (void)state;

    struct model_tasks *tasks = open_tasks(&h, NULL);
    for (int i = 0; i < 100; i++)
        assert_int_equal(
            model_tasks_pull(tasks, "a/b", arena_printf(&a, "r%d", i), NULL, &a, &task, &e), 0);
    assert_int_equal(model_tasks_pull(tasks, "a/b", "more", NULL, &a, &task, &e), ERR_CONFLICT);
    model_tasks_close(tasks);
    model_tasks_close(NULL);
    arena_release(&a);
}

static void nonsense_is_refused_at_once(void **state)
{
    struct heard h;
    struct arena a = {0};
    struct model_task task;
    (void)state;

    struct model_tasks *tasks = open_tasks(&h, NULL);
    assert_int_equal(model_tasks_pull(tasks, "../x", "main", NULL, &a, &task, &e), ERR_ARG);
    assert_int_equal(model_tasks_pull(tasks, "a/b", "../x", NULL, &a, &task, &e), ERR_ARG);
    assert_int_equal(model_tasks_get(tasks, "none", &a, &task, &e), ERR_NOT_FOUND);
    assert_int_equal(model_tasks_cancel(tasks, "none", &a, &task, &e), ERR_NOT_FOUND);
    assert_int_equal(h.events, 0);
    model_tasks_close(tasks);
    tasks = open_tasks(&h, "nothing is downloaded here");
    assert_int_equal(model_tasks_pull(tasks, "a/b", "main", NULL, &a, &task, &e), ERR_UNSUPPORTED);
    assert_string_equal(e.message, "nothing is downloaded here");
    model_tasks_close(tasks);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_check_is_told_to_its_end),
        cmocka_unit_test(what_cannot_be_read_fails_in_words),
        cmocka_unit_test(one_after_the_other_and_cancelled),
        cmocka_unit_test(the_end_does_not_wait_for_them),
        cmocka_unit_test(nonsense_is_refused_at_once),
    };
    return cmocka_run_group_tests_name("models_tasks", tests, NULL, NULL);
}
