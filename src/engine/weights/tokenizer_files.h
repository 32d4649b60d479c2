/*
 * tokenizer_files.h: the text files of a tokenizer's folder, into a model; private to weights/.
 *
 *   if (tokenizer_files_read(m, 0, "model/tokenizer", e)) ...
 */
#ifndef ENGINE_TOKENIZER_FILES_H
#define ENGINE_TOKENIZER_FILES_H

#include "engine/weights/model.h"

/* vocab.json and merges.txt, or tokenizer.json (all that transformers 5 saves), which is rewritten
 * as these two; tokenizer_config.json and special_tokens_map.json where there are such. */
WARN_UNUSED_RESULT int tokenizer_files_read(struct model *m, int encoder, const char *folder,
                                            struct err *e);

#endif
