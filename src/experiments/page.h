/*
 * page.h: writing HTML and SVG; private to experiments/.
 *
 *   struct page p = {&buf, 0};
 *   page_add(&p, "<h1>");
 *   page_text(&p, title);              escaped
 *   page_addf(&p, "</h1><p>%d", n);    numbers only: texts go through page_text
 *   if (p.rc) ...                      the first failure is kept, all after it does nothing
 */
#ifndef EXPERIMENTS_PAGE_H
#define EXPERIMENTS_PAGE_H

#include "base/buf.h"

struct page {
    struct buf *out;
    int rc;
};

void page_add(struct page *p, const char *html);
void page_bytes(struct page *p, const void *bytes, size_t n);
void page_addf(struct page *p, const char *format, ...) PRINTF_LIKE(2, 3);
/* & < > " ' as entities. */
void page_text(struct page *p, const char *text);
/* <name>text</name> */
void page_tag(struct page *p, const char *name, const char *text);
/* JSON that may stand inside <script>: no "<" in it. */
void page_json(struct page *p, const char *json);
void page_base64(struct page *p, const unsigned char *bytes, size_t n);

#endif
