/*
 * a1111_text.h: the text that A1111's web UI writes into pictures ("infotext"), taken apart.
 *
 *   json_t *parameters = a1111_text_parse(str_from(text));
 *   ... {"Prompt": "a cat", "Negative prompt": "", "Steps": "20", "Size-1": "512", ...} ...
 *
 * After parse_generation_parameters and re_param of Forge's modules/infotext_utils.py. The
 * writer is recipe_parameters.
 * Threads: a pure function. Ownership: the caller owns the JSON.
 */
#ifndef API_A1111_TEXT_H
#define API_A1111_TEXT_H

#include "base/str.h"

#include <jansson.h>

/* Values are texts; a value WxH becomes "<key>-1" and "<key>-2"; what is not written has A1111's
 * default. The last line counts as parameters only when three of them are found in it. A new
 * reference. Takes time linear in the text's length. */
json_t *a1111_text_parse(struct str text);

#endif
