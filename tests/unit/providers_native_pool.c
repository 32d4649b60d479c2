/* Open models under a budget of memory, and several slots at once. */
#include "providers_fixture.h"

#include <stdatomic.h>

static int64_t open_models(struct provider *p, int64_t *bytes)
{
    struct arena a = {0};
    struct hardware_info hw;
    struct err e = {0};

    assert_int_equal(provider_hardware(p, &a, &hw, &e), 0);
    int64_t models = hw.devices[0].models;
    *bytes = hw.devices[0].models_bytes;
    arena_release(&a);
    return models;
}

static void draw_one(struct provider *p, const char *model)
{
    struct arena a = {0};
    struct script s = {0};
    struct recipe r =
        complete(p, &a, arena_printf(&a, "{'prompt': 'x', 'model': '%s', 'steps': 1}", model));

    script_add(&s, &r);
    script_run(p, &s);
    assert_int_equal(s.items[0].code, 0);
    script_release(&s);
    arena_release(&a);
}

static void used_models_stay_open(void **state)
{
    struct provider *p = open_native((struct provider_options){0});
    struct provider_stats stats;
    int64_t bytes;
    (void)state;

    assert_int_equal(open_models(p, &bytes), 0);
    draw_one(p, "sd1");
    draw_one(p, "sdxl");
    draw_one(p, "sd1");
    provider_stats(p, &stats);
    assert_int_equal(stats.loads, 2);
    assert_int_equal(stats.hits, 1);
    assert_int_equal(stats.evictions, 0);
    assert_int_equal(open_models(p, &bytes), 2);
    assert_true(bytes > 1000000);
    provider_refresh(p);
    assert_int_equal(open_models(p, &bytes), 0);
    assert_int_equal(bytes, 0);
    provider_close(p);
}

/* A budget for two of the three: the one that was not used for longest goes. */
static void the_oldest_makes_room(void **state)
{
    struct provider *p = open_native((struct provider_options){0});
    int64_t two, three;
    struct provider_stats stats;
    struct provider_model m;
    struct arena a = {0};
    struct err e = {0};
    (void)state;

    draw_one(p, "sd1");
    draw_one(p, "sd2-v");
    assert_int_equal(open_models(p, &two), 2);
    draw_one(p, "sdxl");
    assert_int_equal(open_models(p, &three), 3);
    provider_close(p);

    p = open_native((struct provider_options){.memory_budget = three - 1});
    draw_one(p, "sd1");
    draw_one(p, "sd2-v");
    draw_one(p, "sd1");
    draw_one(p, "sdxl");
    provider_stats(p, &stats);
    assert_int_equal(stats.evictions, 1);
    assert_int_equal(provider_model(p, "sd2-v", &a, &m, &e), 0);
    assert_false(m.loaded);
    assert_int_equal(provider_model(p, "sd1", &a, &m, &e), 0);
    assert_true(m.loaded);
    draw_one(p, "sd2-v");
    provider_close(p);

    /* One that alone is larger than the budget is drawn with, and nothing stays. */
    p = open_native((struct provider_options){.memory_budget = 1});
    draw_one(p, "sdxl");
    assert_int_equal(open_models(p, &two), 0);
    provider_close(p);
    arena_release(&a);
}

/* ==== slots ==== */

enum { SLOTS = 2, EACH = 3 };

struct slot {
    struct provider *provider;
    struct script script;
    pthread_t thread;
    atomic_int *inside, *most; /* slots that draw at this moment */
};

static enum draw_answer slot_progress(void *user, struct draw *d, int step, int steps,
                                      const struct image *preview)
{
    struct slot *s = user;
    if (step == 1) {
        int now = atomic_fetch_add(s->inside, 1) + 1, most = atomic_load(s->most);
        while (now > most && !atomic_compare_exchange_weak(s->most, &most, now))
            ;
    }
    if (step == steps)
        atomic_fetch_sub(s->inside, 1);
    return script_progress(&s->script, d, step, steps, preview);
}

static struct draw *slot_next(void *user, const char *model, int width, int height)
{
    struct slot *s = user;
    return model ? NULL : script_next(&s->script, model, width, height);
}

static void slot_done(void *user, struct draw *d, struct draw_result *r)
{
    struct slot *s = user;
    script_done(&s->script, d, r);
}

static void *slot_run(void *user)
{
    struct slot *s = user;
    struct draw_source source = {
        .user = s, .next = slot_next, .progress = slot_progress, .done = slot_done};
    struct err e = {0};

    if (provider_draw(s->provider, "cpu", &source, &e))
        return s;
    return NULL;
}

/* Slot i draws EACH pictures of model i of `models`. Returns how many slots drew at once. */
static int run_slots(struct provider *p, const char *const models[SLOTS], struct slot *slots)
{
    struct arena a = {0};
    atomic_int inside = 0, most = 0;

    for (int i = 0; i < SLOTS; i++) {
        slots[i] = (struct slot){.provider = p, .inside = &inside, .most = &most};
        for (int k = 0; k < EACH; k++) {
            struct recipe r = complete(p, &a,
                                       arena_printf(&a,
                                                    "{'prompt': 'x', 'seed': %d, 'steps': 4, "
                                                    "'sampler': 'euler', 'model': '%s'}",
                                                    k, models[i]));
            script_add(&slots[i].script, &r);
        }
    }
    for (int i = 0; i < SLOTS; i++)
        assert_int_equal(pthread_create(&slots[i].thread, NULL, slot_run, &slots[i]), 0);
    for (int i = 0; i < SLOTS; i++) {
        void *failed = NULL;
        pthread_join(slots[i].thread, &failed);
        assert_null(failed);
        for (int k = 0; k < EACH; k++)
            assert_int_equal(slots[i].script.items[k].code, 0);
    }
    arena_release(&a);
    return atomic_load(&most);
}

/* Two slots on one model: a handle each, whose weights count once; the same pictures. */
static void slots_share_a_model(void **state)
{
    struct provider *p = open_native((struct provider_options){.slots = SLOTS});
    struct slot slots[SLOTS];
    struct provider_stats stats;
    int64_t one, both;
    struct provider_model m;
    struct arena a = {0};
    struct err e = {0};
    (void)state;

    draw_one(p, "sd1");
    assert_int_equal(open_models(p, &one), 1);
    run_slots(p, (const char *const[]){"sd1", "sd1"}, slots);
    for (int k = 0; k < EACH; k++)
        assert_same_image(&slots[0].script.items[k].image, &slots[1].script.items[k].image);
    provider_stats(p, &stats);
    assert_int_equal(stats.pictures, 1 + SLOTS * EACH);
    assert_int_equal(stats.loads + stats.hits, 1 + SLOTS * EACH);
    assert_in_range(stats.loads, 1, SLOTS);
    assert_in_range(open_models(p, &both), 1, SLOTS);
    assert_int_equal(provider_model(p, "sd1", &a, &m, &e), 0);
    assert_true(both - one < m.bytes);
    for (int i = 0; i < SLOTS; i++)
        script_release(&slots[i].script);
    arena_release(&a);
    provider_close(p);
}

/* Two models that the budget cannot hold at once: one slot waits for the other. */
static void slots_wait_for_room(void **state)
{
    struct provider *p = open_native((struct provider_options){.slots = SLOTS, .memory_budget = 1});
    struct slot slots[SLOTS];
    struct provider_stats stats;
    (void)state;

    assert_int_equal(run_slots(p, (const char *const[]){"sd1", "sdxl"}, slots), 1);
    provider_stats(p, &stats);
    assert_int_equal(stats.pictures, SLOTS * EACH);
    for (int i = 0; i < SLOTS; i++)
        script_release(&slots[i].script);
    provider_close(p);
}

/* A second handle is expected to take what the first one takes: not both fit, so one slot waits. */
static void second_handles_count(void **state)
{
    struct provider *p = open_native((struct provider_options){.slots = SLOTS});
    struct slot slots[SLOTS];
    int64_t one;
    (void)state;

    draw_one(p, "sd1");
    assert_int_equal(open_models(p, &one), 1);
    provider_close(p);
    p = open_native((struct provider_options){.slots = SLOTS, .memory_budget = one + one / 100});
    draw_one(p, "sd1");
    assert_int_equal(run_slots(p, (const char *const[]){"sd1", "sd1"}, slots), 1);
    for (int i = 0; i < SLOTS; i++)
        script_release(&slots[i].script);
    provider_close(p);
}

/* One picture holds all memory; a second slot, begun from its progress, waits for room and is asked
 * whether to. */
struct holding {
    struct provider *provider;
    struct draw first, second;
    bool first_given, second_given;
    int code, asked;
};

static enum draw_answer give_up(void *user, struct draw *d, int step, int steps,
                                const struct image *preview)
{
    struct holding *h = user;
    (void)d, (void)steps, (void)preview;

    h->asked++;
    assert_int_equal(step, 0);
    return DRAW_CANCEL;
}

static void note_code(void *user, struct draw *d, struct draw_result *r)
{
    struct holding *h = user;
    (void)d;
    h->code = r->code;
}

static struct draw *give_second(void *user, const char *model, int width, int height)
{
    struct holding *h = user;
    (void)model, (void)width, (void)height;

    if (h->second_given)
        return NULL;
    h->second_given = true;
    return &h->second;
}

static enum draw_answer begin_second(void *user, struct draw *d, int step, int steps,
                                     const struct image *preview)
{
    struct holding *h = user;
    struct draw_source second = {
        .user = h, .next = give_second, .progress = give_up, .done = note_code};
    struct err e = {0};
    (void)d, (void)steps, (void)preview;

    if (step == 1)
        assert_int_equal(provider_draw(h->provider, "cpu", &second, &e), 0);
    return DRAW_GO_ON;
}

static struct draw *give_first(void *user, const char *model, int width, int height)
{
    struct holding *h = user;
    (void)model, (void)width, (void)height;

    if (h->first_given)
        return NULL;
    h->first_given = true;
    return &h->first;
}

static void free_result(void *user, struct draw *d, struct draw_result *r)
{
    (void)user, (void)d;
    assert_int_equal(r->code, 0);
    image_release(&r->image);
}

static void waiting_can_be_given_up(void **state)
{
    struct provider *p = open_native((struct provider_options){.slots = 2, .memory_budget = 1});
    struct arena a = {0};
    struct holding h = {.provider = p};
    struct draw_source first = {
        .user = &h, .next = give_first, .progress = begin_second, .done = free_result};
    struct err e = {0};
    (void)state;

    h.first.recipe = complete(p, &a, "{'prompt': 'x', 'steps': 2}");
    h.second.recipe = complete(p, &a, "{'prompt': 'x', 'steps': 2, 'model': 'sdxl'}");
    assert_int_equal(provider_draw(p, "cpu", &first, &e), 0);
    assert_int_equal(h.asked, 1);
    assert_int_equal(h.code, ERR_CANCELLED);
    arena_release(&a);
    provider_close(p);
}

/* ==== fairness ==== */

enum { ENDLESS = 400 };

static enum draw_answer go_on(void *user, struct draw *d, int step, int steps,
                              const struct image *preview)
{
    (void)user, (void)d, (void)step, (void)steps, (void)preview;
    return DRAW_GO_ON;
}

struct late {
    struct provider *provider;
    pthread_t thread;
    struct draw draw;
    bool given;
    atomic_bool over;
};

static struct draw *give_late(void *user, const char *model, int width, int height)
{
    struct late *l = user;
    (void)model, (void)width, (void)height;

    if (l->given)
        return NULL;
    l->given = true;
    return &l->draw;
}

static void late_done(void *user, struct draw *d, struct draw_result *r)
{
    struct late *l = user;
    (void)d;

    if (r->code)
        fprintf(stderr, "%s\n", r->message);
    image_release(&r->image);
    atomic_store(&l->over, true);
}

static void *late_run(void *user)
{
    struct late *l = user;
    struct draw_source source = {
        .user = l, .next = give_late, .progress = go_on, .done = late_done};
    struct err e = {0};

    return provider_draw(l->provider, "cpu", &source, &e) ? l : NULL;
}

struct endless {
    struct draw draws[ENDLESS];
    int given;
    struct late late;
};

/* The other slot begins when this one is at work. */
static struct draw *give_endlessly(void *user, const char *model, int width, int height)
{
    struct endless *s = user;
    (void)model, (void)width, (void)height;

    if (s->given == 2)
        assert_int_equal(pthread_create(&s->late.thread, NULL, late_run, &s->late), 0);
    return s->given == ENDLESS || atomic_load(&s->late.over) ? NULL : &s->draws[s->given++];
}

/* A slot whose work never ends makes room for another that waits. */
static void endless_work_keeps_nobody_out(void **state)
{
    struct provider *p = open_native((struct provider_options){.slots = 2, .memory_budget = 1});
    struct arena a = {0};
    struct endless *endless = calloc(1, sizeof *endless);
    struct draw_source source = {
        .user = endless, .next = give_endlessly, .progress = go_on, .done = free_result};
    struct recipe r = complete(p, &a, "{'prompt': 'x', 'steps': 3, 'sampler': 'euler'}");
    struct err e = {0};
    void *failed = NULL;
    (void)state;

    assert_non_null(endless);
    endless->late.provider = p;
    for (int i = 0; i < ENDLESS; i++) { /* of different lengths: the batch is never empty */
        endless->draws[i].recipe = r;
        endless->draws[i].recipe.steps = 3 + i % 2;
    }
    endless->late.draw.recipe = complete(p, &a, "{'prompt': 'x', 'steps': 1, 'model': 'sdxl'}");
    assert_int_equal(provider_draw(p, "cpu", &source, &e), 0);
    pthread_join(endless->late.thread, &failed);
    assert_null(failed);
    assert_true(endless->given < ENDLESS);
    free(endless);
    arena_release(&a);
    provider_close(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(used_models_stay_open),         cmocka_unit_test(the_oldest_makes_room),
        cmocka_unit_test(slots_share_a_model),           cmocka_unit_test(slots_wait_for_room),
        cmocka_unit_test(second_handles_count),          cmocka_unit_test(waiting_can_be_given_up),
        cmocka_unit_test(endless_work_keeps_nobody_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
