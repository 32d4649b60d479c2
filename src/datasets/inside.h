/*
 * inside.h: what the files of this room share and nobody else needs: checks of documents, folders,
 * texts of ids.
 *
 *   static const struct member members[] = {{"path", is_path, "a path", MEMBER_REQUIRED}, {0}};
 *   if (members_check(document, members, access, a, problem, e)) ...
 *   if (place_open(path, access, false, &place, e)) ...      place.folder, place.name
 */
#ifndef DATASETS_INSIDE_H
#define DATASETS_INSIDE_H

#include "datasets/dataset.h"

struct dataset {
    const struct dataset_backend *backend;
    char *name;
    void *state; /* of the backend */
};
extern const struct dataset_backend dataset_jsonl, dataset_csv, dataset_mongo;

/* ==== documents ==== */

struct member {
    const char *name; /* NULL ends a list */
    bool (*fits)(const json_t *value, const struct dataset_access *access);
    const char *expected;
    bool required;
};
enum { MEMBER_OPTIONAL = false, MEMBER_REQUIRED = true };

/* That a document is an object of these members, and "type". */
WARN_UNUSED_RESULT int members_check(const json_t *document, const struct member *members,
                                     const struct dataset_access *access, struct arena *a,
                                     struct dataset_problem *problem, struct err *e);
/* Fill *problem and e; always ERR_ARG. `name` NULL: the document itself. */
int member_problem(const char *name, const char *expected, struct arena *a,
                   struct dataset_problem *problem, struct err *e);

bool is_text(const json_t *value,
             const struct dataset_access *access); /* 1 to 512 bytes, printable */
bool is_object(const json_t *value, const struct dataset_access *access);
bool is_path(const json_t *value, const struct dataset_access *access);
extern const char expected_path[];

/* ==== folders ==== */

/* An open folder and a name in it. With access->inside no link is followed on the way, so that
 * nothing leads out of the folder. */
struct place {
    int folder;       /* -1: none */
    const char *name; /* within the path that was given */
    int follow;       /* O_NOFOLLOW or 0, for opening the name */
};
/* `make`: folders on the way that are missing. ERR_NOT_FOUND, ERR_IO, ERR_ARG. */
WARN_UNUSED_RESULT int place_open(const char *path, const struct dataset_access *access, bool make,
                                  struct place *out, struct err *e);
void place_close(struct place *p);

/* ==== records ==== */

/* The text of a JSON value as an id, in the arena; NULL with *problem for what is none. */
const char *id_text(const json_t *value, const char *name, struct arena *a, const char **problem);
/* NULL, or why it cannot be an id. */
const char *id_problem(const char *text, size_t n, const char *name, struct arena *a);
/* The file's name without folders and ending; the caller frees it. */
char *name_of_file(const char *path);

#endif
