#include "test.h"

#include "cli/outside.h"

#include <pthread.h>
#include <unistd.h>

static const char *const variables[] = {
    "CAULDRON_ALLOW_HOSTS",
    "CAULDRON_ALLOW_HOSTS_FILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECRET_ACCESS_KEY_FILE",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "STORAGE_EMULATOR_HOST",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "CAULDRON_CONNECTION_A_B_1",
    "CAULDRON_CONNECTION_MAIN_FILE",
    "CAULDRON_SECRET_MAIN",
};

struct place {
    char file[32];
    struct err e;
    struct outside outside;
};

static int set_up(void **state)
{
    struct place *p = calloc(1, sizeof *p);

    *state = p;
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        unsetenv(variables[i]);
    snprintf(p->file, sizeof p->file, "/tmp/outside-XXXXXX");
    int fd = mkstemp(p->file);
    return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
    struct place *p = *state;

    outside_close(&p->outside);
    unlink(p->file);
    free(p);
    return 0;
}

static void write_secret(const struct place *p, const void *text, size_t n)
{
    FILE *f = fopen(p->file, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    fclose(f);
}

static void opens(struct place *p, const char *list)
{
    if (outside_open(list, &p->outside, &p->e))
        fail_msg("%s", p->e.message);
}

static void refuses(struct place *p, const char *list, int code, const char *word)
{
    assert_int_equal(outside_open(list, &p->outside, &p->e), code);
    if (!strstr(p->e.message, word))
        fail_msg("'%s' does not say '%s'", p->e.message, word);
    outside_close(&p->outside); /* does nothing */
}

static void nothing_is_set(void **state)
{
    struct place *p = *state;

    opens(p, NULL);
    assert_int_equal(egress_check(p->outside.egress, "example.org", 443, &p->e), 0);
    assert_ptr_equal(net_egress(p->outside.net), p->outside.egress);
    assert_null(p->outside.settings.aws_access_key);
    assert_null(p->outside.settings.google_credentials);
    assert_null(outside_connection(&p->outside, "main"));
}

static void hosts(void **state)
{
    struct place *p = *state;
    struct egress *egress;

    setenv("CAULDRON_ALLOW_HOSTS", "a.example.org", 1);
    opens(p, NULL);
    assert_int_equal(egress_check(p->outside.egress, "a.example.org", 443, &p->e), 0);
    assert_int_equal(egress_check(p->outside.egress, "b.example.org", 443, &p->e), ERR_DENIED);
    outside_close(&p->outside);
    opens(p, "b.example.org"); /* an option wins */
    assert_int_equal(egress_check(p->outside.egress, "b.example.org", 443, &p->e), 0);
    assert_int_equal(egress_check(p->outside.egress, "a.example.org", 443, &p->e), ERR_DENIED);
    outside_close(&p->outside);
    unsetenv("CAULDRON_ALLOW_HOSTS");
    setenv("CAULDRON_ALLOW_HOSTS_FILE", p->file, 1);
    write_secret(p, "c.example.org\n", 14);
    assert_int_equal(outside_egress(&egress, &p->e), 0);
    assert_int_equal(egress_check(egress, "c.example.org", 443, &p->e), 0);
    assert_int_equal(egress_check(egress, "a.example.org", 443, &p->e), ERR_DENIED);
    egress_free(egress);
    setenv("CAULDRON_ALLOW_HOSTS_FILE", "/nonexistent", 1);
    refuses(p, NULL, ERR_NOT_FOUND, "CAULDRON_ALLOW_HOSTS_FILE");
    refuses(p, "no/such", ERR_ARG, "no/such");
}

static void credentials(void **state)
{
    struct place *p = *state;

    setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
    setenv("AWS_SECRET_ACCESS_KEY_FILE", p->file, 1);
    write_secret(p, "secret\nrest\n", 12);
    setenv("AWS_DEFAULT_REGION", "eu-west-1", 1);
    setenv("AWS_ENDPOINT_URL", "http://minio:9000", 1);
    setenv("AWS_PROFILE", "work", 1); /* not asked, as there are keys */
    opens(p, NULL);
    assert_string_equal(p->outside.settings.aws_access_key, "AKID");
    assert_string_equal(p->outside.settings.aws_secret_key, "secret");
    assert_string_equal(p->outside.settings.aws_region, "eu-west-1");
    assert_string_equal(p->outside.settings.aws_endpoint, "http://minio:9000");
    outside_close(&p->outside);
    setenv("AWS_SECRET_ACCESS_KEY", "other", 1); /* wins over the file */
    setenv("AWS_REGION", "eu-west-2", 1);
    setenv("AWS_ENDPOINT_URL_S3", "http://s3:9000", 1);
    opens(p, NULL);
    assert_string_equal(p->outside.settings.aws_secret_key, "other");
    assert_string_equal(p->outside.settings.aws_region, "eu-west-2");
    assert_string_equal(p->outside.settings.aws_endpoint, "http://s3:9000");
    outside_close(&p->outside);
    unsetenv("AWS_SECRET_ACCESS_KEY");
    write_secret(p, "sec\0ret", 7);
    refuses(p, NULL, ERR_ARG, "NUL");
}

static void who_lends_keys(void **state)
{
    struct place *p = *state;

    setenv("AWS_PROFILE", "work", 1);
    setenv("AWS_ROLE_ARN", "arn", 1);
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/token", 1);
    setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/keys", 1);
    opens(p, NULL); /* whoever keeps no pictures in S3 is not bothered */
    assert_string_equal(p->outside.settings.aws_profile, "work");
    assert_string_equal(p->outside.settings.aws_role, "arn");
    assert_string_equal(p->outside.settings.aws_web_identity_file, "/token");
    assert_string_equal(p->outside.settings.aws_container, "http://169.254.170.2/v2/keys");
}

static void named_texts(void **state)
{
    static const char *const bad[] = {"", "a/b", "a b", "\xc3\xa4", "a.b", "a=b"};
    struct place *p = *state;
    char longest[100];

    setenv("CAULDRON_CONNECTION_A_B_1", "mongodb://host", 1);
    setenv("CAULDRON_CONNECTION_MAIN_FILE", p->file, 1);
    setenv("CAULDRON_SECRET_MAIN", "hush", 1);
    write_secret(p, "mongodb://user:pass@host\n", 25);
    opens(p, NULL);
    assert_string_equal(outside_connection(&p->outside, "a-b_1"), "mongodb://host");
    assert_string_equal(outside_connection(&p->outside, "A_B_1"), "mongodb://host");
    assert_string_equal(outside_connection(&p->outside, "main"), "mongodb://user:pass@host");
    assert_string_equal(outside_secret(&p->outside, "main"), "hush");
    assert_null(outside_secret(&p->outside, "a_b_1"));
    write_secret(p, "later\n", 6); /* what was read stays */
    assert_string_equal(outside_connection(&p->outside, "main"), "mongodb://user:pass@host");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_null(outside_connection(&p->outside, bad[i]));
    memset(longest, 'A', sizeof longest);
    longest[99] = 0;
    assert_null(outside_connection(&p->outside, longest));
    setenv("CAULDRON_CONNECTION_GONE_FILE", "/nonexistent", 1);
    assert_null(outside_connection(&p->outside, "gone"));
}

static void *ask_often(void *user)
{
    for (int i = 0; i < 1000; i++)
        if (strcmp(outside_connection(user, i % 2 ? "a-b-1" : "A_B_1"), "mongodb://host") != 0)
            return user;
    return NULL;
}

static void by_many_threads(void **state)
{
    struct place *p = *state;
    pthread_t threads[4];
    void *wrong;

    setenv("CAULDRON_CONNECTION_A_B_1", "mongodb://host", 1);
    opens(p, NULL);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, ask_often, &p->outside);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_set), TEST(hosts),       TEST(credentials),
        TEST(who_lends_keys), TEST(named_texts), TEST(by_many_threads),
    };
    return cmocka_run_group_tests_name("cli_outside", tests, NULL, NULL);
}
