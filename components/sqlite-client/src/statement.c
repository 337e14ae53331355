// The resource `statement`.

#include "client.h"

#include <stdlib.h>
#include <string.h>

#define LARGE (1u << 18) // bytes of values after which a batch ends, whatever was asked for

static const char *const only_changes = "executemany() can only execute DML statements.";

// Puts it at its beginning; no lock is held and nothing of what was bound is kept.
static void rest(statement_t *self) {
    sqlite3_reset(self->command);
    self->waiting = false;
    if (self->is_bound) {
        if (self->command != NULL) {
            sqlite3_clear_bindings(self->command);
        }
        exports_ringfence_sqlite_database_parameters_free(&self->bound);
        self->is_bound = false;
    }
}

static void forget_late(statement_t *self) {
    if (self->has_late) {
        exports_ringfence_sqlite_database_error_free(&self->late);
        self->has_late = false;
    }
}

static void forget_names(statement_t *self) {
    for (int at = 0; at < self->told_count; at++) {
        free(self->told[at]);
    }
    free(self->told);
    self->told = NULL, self->told_count = 0;
}

void end_statement(statement_t *self) {
    if (self->home == NULL) {
        return;
    }
    rest(self);
    sqlite3_finalize(self->command);
    *self->back = self->next;
    if (self->next != NULL) {
        self->next->back = self->back;
    }
    self->home = NULL, self->command = NULL;
}

void exports_ringfence_sqlite_database_statement_destructor(statement_t *rep) {
    end_statement(rep);
    forget_late(rep);
    forget_names(rep);
    free(rep);
}

static bool are_told(const statement_t *self, int count) {
    if (count != self->told_count) {
        return false;
    }
    for (int at = 0; at < count; at++) {
        const char *name = sqlite3_column_name(self->command, at);
        if (name == NULL || strcmp(name, self->told[at]) != 0) {
            return false;
        }
    }
    return true;
}

// The columns' names, where they are others than were told last.
static void tell_names(statement_t *self, int count, sqlite_client_option_list_string_t *out) {
    *out = (sqlite_client_option_list_string_t){.is_some = !are_told(self, count)};
    if (!out->is_some) {
        return;
    }
    forget_names(self);
    self->told = need((size_t)count * sizeof *self->told);
    self->told_count = count;
    out->val.len = (size_t)count;
    out->val.ptr = count ? need((size_t)count * sizeof(string_t)) : NULL;
    for (int at = 0; at < count; at++) {
        const char *name = sqlite3_column_name(self->command, at);
        name = name ? name : "";
        self->told[at] = strcpy(need(strlen(name) + 1), name);
        take_text(&out->val.ptr[at], name);
    }
}

// What it changed since `before`. SQLite's own number is that of the last command that changed anything.
static uint64_t changes_since(sqlite3 *db, sqlite3_int64 before) {
    return sqlite3_total_changes64(db) != before ? (uint64_t)sqlite3_changes64(db) : 0;
}

// Steps on to a row, unless it stands on one: SQLITE_ROW, SQLITE_DONE or what went wrong.
static int step(statement_t *self) {
    int code = self->waiting ? SQLITE_ROW : self->command ? sqlite3_step(self->command) : SQLITE_DONE;
    self->waiting = code == SQLITE_ROW;
    return code;
}

// Takes rows until there are enough, and one step more, so that whoever took the last is told so. The code that it stopped with.
static int take_rows(statement_t *self, int code, uint32_t most, gathered_t *rows) {
    while (code == SQLITE_ROW && gathered_rows(rows) < most && gathered_size(rows) < LARGE) {
        added_t added = add_row(rows, self->command);
        if (added != ADDED) {
            return added == APART ? SQLITE_ROW : SQLITE_NOMEM;
        }
        self->waiting = false;
        code = step(self);
    }
    return code;
}

// Goes on, and makes an outcome of what comes.
static bool go_on(statement_t *self, uint32_t most, outcome_t *ret, error_t *err) {
    sqlite3 *db = self->home->db;
    int code = step(self), count = sqlite3_column_count(self->command); // at the first step SQLite sees how wide its tables are by now
    gathered_t *rows = gather(count);
    code = take_rows(self, code, most, rows);
    bool failed = code != SQLITE_ROW && code != SQLITE_DONE;
    if (failed) {
        fails(err, db, code);
        if (gathered_rows(rows) == 0 || code == SQLITE_NOMEM) {
            throw_away(rows);
            rest(self);
            return false;
        }
        self->late = *err, self->has_late = true;
    }
    tell_names(self, count, &ret->columns);
    ret->more = code != SQLITE_DONE;
    ret->status = status_of(self->home, changes_since(db, self->before));
    if (!self->waiting) {
        rest(self);
    }
    if (!make_batch(rows, &ret->rows)) {
        sqlite_client_option_list_string_free(&ret->columns);
        return fails_of_memory(err);
    }
    return true;
}

bool exports_ringfence_sqlite_database_method_statement_run(statement_t *self, parameters_t *parameters, uint32_t rows, outcome_t *ret,
                                                            error_t *err) {
    if (self->home == NULL) {
        exports_ringfence_sqlite_database_parameters_free(parameters);
        return is_closed(err);
    }
    rest(self);
    forget_late(self);
    self->bound = *parameters, self->is_bound = true;
    if (!bind_parameters(self->home->db, self->command, &self->bound, err)) {
        rest(self);
        return false;
    }
    self->before = sqlite3_total_changes64(self->home->db);
    return go_on(self, rows, ret, err);
}

bool exports_ringfence_sqlite_database_method_statement_fetch(statement_t *self, uint32_t rows, outcome_t *ret, error_t *err) {
    if (self->home == NULL) {
        return is_closed(err);
    }
    if (self->has_late) {
        self->has_late = false;
        *err = self->late;
        return false;
    }
    if (!self->waiting) { // it is at its end; a step would begin it again
        *ret = (outcome_t){.rows = {.tag = TAG(BATCH, ROWS)}, .status = status_of(self->home, 0)};
        return true;
    }
    return go_on(self, rows, ret, err);
}

void exports_ringfence_sqlite_database_method_statement_reset(statement_t *self) {
    forget_late(self);
    if (self->home != NULL) {
        rest(self);
    }
}

// Many at once

static bool run_row(statement_t *self, const batch_t *batch, size_t row, error_t *err) {
    sqlite3 *db = self->home->db;
    bool bound = batch->tag == TAG(BATCH, ROWS) ? bind_values(db, self->command, &batch->val.rows.ptr[row], err)
                                                : bind_table_row(db, self->command, &batch->val.columns, (uint32_t)row, err);
    if (!bound) {
        return false;
    }
    int code = sqlite3_step(self->command);
    if (code == SQLITE_ROW) {
        return misused(err, "%s", only_changes);
    }
    if (code != SQLITE_DONE) {
        return fails(err, db, code);
    }
    return true;
}

static bool run_rows(statement_t *self, const batch_t *batch, uint64_t *changes, error_t *err) {
    sqlite3 *db = self->home->db;
    bool by_row = batch->tag == TAG(BATCH, ROWS);
    if (self->command == NULL || sqlite3_stmt_readonly(self->command)) {
        return misused(err, "%s", only_changes);
    }
    if (!by_row && !is_well_formed(&batch->val.columns, err)) {
        return false;
    }
    size_t height = by_row ? batch->val.rows.len : batch->val.columns.height;
    bool done = true;
    for (size_t row = 0; done && row < height; row++) {
        sqlite3_int64 before = sqlite3_total_changes64(db);
        done = run_row(self, batch, row, err);
        sqlite3_reset(self->command);
        *changes += done ? changes_since(db, before) : 0;
    }
    sqlite3_clear_bindings(self->command);
    return done;
}

bool exports_ringfence_sqlite_database_method_statement_run_many(statement_t *self, batch_t *parameters, status_t *ret, error_t *err) {
    bool done = self->home != NULL || is_closed(err);
    if (done) {
        uint64_t changes = 0;
        rest(self);
        forget_late(self);
        done = run_rows(self, parameters, &changes, err);
        *ret = status_of(self->home, changes);
    }
    exports_ringfence_sqlite_database_batch_free(parameters);
    return done;
}

bool exports_ringfence_sqlite_database_method_statement_declared_types(statement_t *self, sqlite_client_list_option_string_t *ret,
                                                                       error_t *err) {
    if (self->home == NULL) {
        return is_closed(err);
    }
    size_t count = (size_t)sqlite3_column_count(self->command);
    ret->len = count;
    ret->ptr = count ? need(count * sizeof *ret->ptr) : NULL;
    for (size_t at = 0; at < count; at++) {
        const char *type = sqlite3_column_decltype(self->command, (int)at);
        ret->ptr[at] = (sqlite_client_option_string_t){.is_some = type != NULL && *type != 0};
        if (ret->ptr[at].is_some) {
            take_text(&ret->ptr[at].val, type);
        }
    }
    return true;
}
