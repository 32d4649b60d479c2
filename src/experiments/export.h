/*
 * export.h: an experiment in a form to take away: CSV, JSON, a contact sheet, one HTML file.
 *
 *   struct export_source source = {plan, results, analysis, &loader};
 *   struct buf out;
 *   buf_init(&out, EXPORT_MAX);
 *   if (export_html(&source, NULL, &out, &e)) ...
 *
 * Threads: pure, but for the loader. Ownership: everything is borrowed; `out` is the caller's.
 */
#ifndef EXPERIMENTS_EXPORT_H
#define EXPERIMENTS_EXPORT_H

#include "base/buf.h"
#include "experiments/analysis.h"

enum { EXPORT_MAX = 1 << 30 };

struct export_source {
    const struct plan *plan;
    const struct results *results;
    const struct analysis *analysis;     /* NULL: left out */
    const struct measure_loader *loader; /* NULL: no pictures */
};

struct export_options {
    const char *rows, *columns; /* axes; NULL: chosen */
    int thumbnail;              /* longest side in pixels; 0: 192 */
    int quality;                /* of the thumbnails' WebP; 0: 80 */
};

/* RFC 4180, UTF-8, one row a cell. Texts that a spreadsheet would take for a formula begin with an
 * apostrophe. */
WARN_UNUSED_RESULT int export_csv(const struct export_source *s, struct buf *out, struct err *e);
/* Spec, totals, cells with results, analysis. A new reference. */
json_t *export_json(const struct export_source *s);
/* One picture of all cells under labelled axes; tables for further axes below each other. ERR_ARG
 * when it would exceed the largest picture, with the size that would do. */
WARN_UNUSED_RESULT int export_sheet(const struct export_source *s, const struct export_options *o,
                                    struct image *out, struct err *e);
/* One file that needs nothing else: thumbnails, table, pivot, charts. */
WARN_UNUSED_RESULT int export_html(const struct export_source *s, const struct export_options *o,
                                   struct buf *out, struct err *e);
/* Any of these by name: "csv", "json", "png" or "html". ERR_ARG for another name. */
WARN_UNUSED_RESULT int export_as(const struct export_source *s, const char *format, struct buf *out,
                                 struct err *e);

#endif
