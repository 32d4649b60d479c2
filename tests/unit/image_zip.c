/* ZIP archives, read back by Python's zipfile; and byte by byte where the format says what. */
#include "image/zip.h"

#include "test.h"

#include <stdio.h>
#include <unistd.h>

static struct err e;

/* 2026-01-31T23:59:58Z */
static const int64_t WHEN = 1769903998000;

static struct buf archive(void)
{
    static const char zeros[70000];
    struct buf out;
    struct zip z;

    buf_init(&out, 1 << 20);
    zip_init(&z);
    assert_int_equal(zip_add(&z, "001-d\xc3\xa9mo.png", STR("123456789"), WHEN, &out, &e), 0);
    assert_int_equal(zip_add(&z, "empty", STR(""), 0, &out, &e), 0);
    assert_int_equal(zip_add(&z, "zeros", (struct str){zeros, sizeof zeros}, WHEN, &out, &e), 0);
    assert_int_equal(zip_end(&z, &out, &e), 0);
    zip_release(&z);
    return out;
}

static void headers_are_the_formats(void **state)
{
    struct buf out = archive();
    /* "123456789" has the CRC-32 0xcbf43926 (Rocksoft's check value). */
    static const unsigned char local[30] = {'P',  'K',  3,    4,    10,   0,    0,    8,    0, 0,
                                            0x7d, 0xbf, 0x3f, 0x5c, 0x26, 0x39, 0xf4, 0xcb, 9, 0,
                                            0,    0,    9,    0,    0,    0,    13,   0,    0, 0};
    (void)state;

    assert_memory_equal(out.p, local, sizeof local);
    assert_memory_equal(out.p + 30, "001-d\xc3\xa9mo.png", 13);
    assert_memory_equal(out.p + out.n - 22, "PK\5\6\0\0\0\0\3\0\3\0", 12);
    buf_release(&out);
}

static void python_reads_it(void **state)
{
    static const char script[] =
        "import sys, zipfile\n"
        "z = zipfile.ZipFile(sys.argv[1])\n"
        "assert z.testzip() is None\n"
        "assert z.namelist() == ['001-d\\xe9mo.png', 'empty', 'zeros'], z.namelist()\n"
        "assert z.read('001-d\\xe9mo.png') == b'123456789'\n"
        "assert z.read('empty') == b'' and z.read('zeros') == bytes(70000)\n"
        "one = z.infolist()[0]\n"
        "assert one.date_time == (2026, 1, 31, 23, 59, 58), one.date_time\n"
        "assert one.compress_type == zipfile.ZIP_STORED and one.external_attr >> 16 == 0o100644\n"
        "assert z.infolist()[1].date_time == (1980, 1, 1, 0, 0, 0)\n";
    char path[] = "/tmp/zip-XXXXXX", command[2048];
    struct buf out = archive();
    int fd = mkstemp(path);
    (void)state;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, out.p, out.n), (ssize_t)out.n);
    close(fd);
    snprintf(command, sizeof command, "python3 - %s <<'END'\n%sEND\n", path, script);
    assert_int_equal(system(command), 0);
    unlink(path);
    buf_release(&out);
}

static void what_does_not_fit_is_refused(void **state)
{
    struct buf out, small;
    struct zip z;
    (void)state;

    buf_init(&out, 1 << 20);
    buf_init(&small, 40);
    zip_init(&z);
    assert_int_equal(zip_add(&z, "", STR("a"), 0, &out, &e), ERR_ARG);
    assert_int_equal(zip_add(&z, "name", STR("longer than the buffer"), 0, &small, &e), ERR_NOMEM);
    assert_int_equal(small.n, 0);
    assert_int_equal(z.entries, 0);
    z.offset = ZIP_MAX - 100;
    assert_int_equal(zip_add(&z, "a", STR("b"), 0, &out, &e), ERR_UNSUPPORTED);
    assert_non_null(strstr(e.message, "4 GiB"));
    z.offset = 0;
    z.entries = 65534;
    assert_int_equal(zip_add(&z, "a", STR("b"), 0, &out, &e), ERR_UNSUPPORTED);
    zip_release(&z);
    buf_release(&out);
    buf_release(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_the_formats),
        cmocka_unit_test(python_reads_it),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
