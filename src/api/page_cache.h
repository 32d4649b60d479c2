/*
 * page_cache.h: pages of lists as they were answered, for as long as nothing has changed.
 *
 *   static int make(struct request *r, struct buf *out, struct err *e) { ... }
 *   int api_list_things(struct request *r, struct response *w, struct err *e)
 *   {
 *       return page_cached(app->pages, r, w, make, e);
 *   }
 *
 * A page is kept under who asks and what for, together with the state of the database (db_state)
 * and of what is being drawn (live_version) from before it was made; it is answered only while both
 * are the same, so nobody ever sees an old one. Pages that many ask for at once are made once. The
 * answer has an ETag: who polls gets 304. Threads: any. Ownership: the cache keeps texts, at most
 * PAGE_BYTES of them.
 */
#ifndef API_PAGE_CACHE_H
#define API_PAGE_CACHE_H

#include "base/buf.h"
#include "server/http.h"

struct page_cache;

enum { PAGES = 128, PAGE_BYTES = 64 << 20 };

struct page_cache *page_cache_new(void);
void page_cache_free(struct page_cache *c);

/* `make` appends the JSON to a buffer. */
WARN_UNUSED_RESULT int page_cached(struct page_cache *c, struct request *r, struct response *w,
                                   int (*make)(struct request *r, struct buf *out, struct err *e),
                                   struct err *e);

#endif
