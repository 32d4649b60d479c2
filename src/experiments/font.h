/*
 * font.h: labels on contact sheets; private to experiments/.
 *
 *   int width = font_width("steps 20", 14);
 *   font_draw(&sheet, x, y, 14, ink, "steps 20");
 *
 * Letters are 5 x 8 points joined by strokes with round ends, drawn at any size with smooth edges.
 * Printable ASCII; any other character is a box. Threads: pure functions.
 */
#ifndef EXPERIMENTS_FONT_H
#define EXPERIMENTS_FONT_H

#include "image/image.h"

struct colour {
    unsigned char r, g, b;
};

/* Sizes are heights of capital letters in pixels. A line takes font_line(size) pixels. */
int font_width(const char *text, int size);
int font_line(int size);
/* Top left corner of the capitals at x, y; what lies outside the picture (RGB) is left out. */
void font_draw(struct image *im, int x, int y, int size, struct colour c, const char *text);

/* Break a text into lines of at most `width` pixels, at blanks where it can; what is beyond `lines`
 * lines ends in "...". Draws into `im` unless it is NULL; returns the number of lines. */
int font_wrap(struct image *im, int x, int y, int width, int lines, int size, struct colour c,
              const char *text);

#endif
