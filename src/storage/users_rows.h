/* users_rows.h: reading a user out of a joined row, for users.c, sessions.c and api_keys.c. */
#ifndef STORAGE_USERS_ROWS_H
#define STORAGE_USERS_ROWS_H

#include "storage/users.h"

#define USER_COLUMNS                                                                               \
    "u.id, u.name, u.password_hash, u.role, u.disabled, u.created_at, u.updated_at, "              \
    "u.last_login_at"

/* USER_COLUMNS, from column `at` on. */
void user_from_row(const struct db_rows *r, size_t row, size_t at, struct user *out);

#endif
