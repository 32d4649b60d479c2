#include "test.h"

#include "base/buf.h"
#include "objects/s3_xml.h"

static int keep(void *user, const char *path, const char *text, struct err *e)
{
    (void)e;
    return buf_addf(user, "%s=%s;", path, text);
}

static void reads(const char *xml, const char *want)
{
    struct buf b;
    struct err e;

    buf_init(&b, 1 << 20);
    if (xml_read(str_from(xml), keep, &b, &e))
        fail_msg("'%s': %s", xml, e.message);
    assert_string_equal(b.p, want);
    buf_release(&b);
}

static void refuses(struct str xml)
{
    struct buf b;
    struct err e;

    buf_init(&b, 1 << 20);
    if (xml_read(xml, keep, &b, &e) != ERR_FORMAT)
        fail_msg("'%.*s' was read", (int)xml.n, xml.p);
    buf_release(&b);
}

static void what_services_write(void **state)
{
    (void)state;
    reads("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code>"
          "<Message>The specified key does not exist.</Message></Error>\n",
          "Error/Code=NoSuchKey;Error/Message=The specified key does not exist.;Error=;");
    reads("\xef\xbb\xbf<L xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\" a='>'><C><Key>a b</Key>"
          "<Size>1</Size></C><C><Key>c</Key></C></L>",
          "L/C/Key=a b;L/C/Size=1;L/C=;L/C/Key=c;L/C=;L=;");
    reads("<s:A><s:B/><B a=\"1\" /></s:A >", "A/B=;A/B=;A=;");
    reads(
        "<!-- <a> --><A><!--x-->&lt;&amp;&gt;&quot;&apos;&#65;&#x20AC;&#x1F600;<![CDATA[<&>]]></A>",
        "A=<&>\"'A\xe2\x82\xac\xf0\x9f\x98\x80<&>;");
    reads("<ETag>&#34;abc&quot;</ETag>", "ETag=\"abc\";");
}

static void what_it_refuses(void **state)
{
    static const char *const bad[] = {
        "",
        "text",
        "<A>",
        "</A>",
        "<A></B>",
        "<A><B></A></B>",
        "<A",
        "<A b=\">",
        "<>",
        "</>",
        "<A/><B/>",
        "<A>&unknown;</A>",
        "<A>&amp</A>",
        "<A>&#0;</A>",
        "<A>&#xD800;</A>",
        "<A>&#x110000;</A>",
        "<A>&#99999999;</A>",
        "<A>&#;</A>",
        "<A>&#xG;</A>",
        "<A><![CDATA[</A>",
        "<![CDATA[x]]>",
        "<A><!-- </A>",
        "<?xml",
        "<!DOCTYPE a [<!ENTITY b \"c\">]><A>&b;</A>",
        "<A><!ELEMENT b></A>",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuses(str_from(bad[i]));
    refuses((struct str){"<A>\0</A>", 8});
    refuses((struct str){"<A\0B></A>", 9});
    refuses((struct str){"<A><![CDATA[\0]]></A>", 20});
}

static void what_is_too_much(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < 17; i++)
        assert_int_equal(buf_addf(&b, "<a>"), 0);
    refuses((struct str){b.p, b.n});
    buf_release(&b);
    assert_int_equal(buf_addf(&b, "<a>"), 0);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(buf_addf(&b, "x"), 0);
    assert_int_equal(buf_addf(&b, "</a>"), 0);
    refuses((struct str){b.p, b.n});
    buf_release(&b);
    assert_int_equal(buf_addf(&b, "<%0100d/>", 1), 0);
    refuses((struct str){b.p, b.n});
    buf_release(&b);
}

static int stop(void *user, const char *path, const char *text, struct err *e)
{
    (void)path, (void)text, (void)e;
    ++*(int *)user;
    return 42;
}

static void ends_when_told(void **state)
{
    struct err e;
    int calls = 0;

    (void)state;
    assert_int_equal(xml_read(STR("<A><B/><C/></A>"), stop, &calls, &e), 42);
    assert_int_equal(calls, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_services_write),
        cmocka_unit_test(what_it_refuses),
        cmocka_unit_test(what_is_too_much),
        cmocka_unit_test(ends_when_told),
    };
    return cmocka_run_group_tests_name("objects_s3_xml", tests, NULL, NULL);
}
