// The resource `connection`, and what belongs to no resource.

#include "client.h"

#include <stdlib.h>
#include <string.h>

#define MOST_TIME 0x7FFFFFFF // milliseconds, as SQLite counts them

void exports_ringfence_sqlite_database_version(string_t *ret) {
    sqlite_client_string_dup(ret, sqlite3_libversion());
}

status_t status_of(const connection_t *connection, uint64_t changes) {
    sqlite3 *db = connection->db;
    if (db == NULL) {
        return (status_t){0};
    }
    return (status_t){
        .changes = changes,
        .total_changes = (uint64_t)sqlite3_total_changes64(db),
        .last_insert_rowid = sqlite3_last_insert_rowid(db),
        .in_transaction = !sqlite3_get_autocommit(db),
    };
}

// A string of SQLite's kind. The WIT's is gone.
static char *owned(string_t *text) {
    char *copy = need(text->len + 1);
    memcpy(copy, text->ptr, text->len);
    copy[text->len] = 0;
    sqlite_client_string_free(text);
    return copy;
}

static bool has_zero(const string_t *text) {
    return text->len > 0 && memchr(text->ptr, 0, text->len) != NULL;
}

static int flags_for(const char *path, const options_t *options) {
    static const int flags[] = {SQLITE_OPEN_READONLY, SQLITE_OPEN_READWRITE, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE};
    bool in_memory = path[0] == 0 || strcmp(path, ":memory:") == 0;
    bool says_mode = options->uri && strncmp(path, "file:", 5) == 0 && strstr(path, "mode=") != NULL;
    int mode = in_memory || says_mode ? TAG(OPEN_MODE, CREATE) : options->mode;
    return flags[mode] | (options->uri ? SQLITE_OPEN_URI : 0);
}

bool exports_ringfence_sqlite_database_static_connection_open(string_t *path, options_t *options,
                                                              exports_ringfence_sqlite_database_own_connection_t *ret, error_t *err) {
    if (has_zero(path)) {
        sqlite_client_string_free(path);
        return misused(err, "embedded null character");
    }
    char *name = owned(path);
    sqlite3 *db = NULL;
    int code = sqlite3_open_v2(name, &db, flags_for(name, options), NULL);
    free(name);
    if (code != SQLITE_OK) {
        fails(err, db, code);
        sqlite3_close_v2(db);
        return false;
    }
    sqlite3_extended_result_codes(db, 1);
    sqlite3_busy_timeout(db, options->busy_timeout > MOST_TIME ? MOST_TIME : (int)options->busy_timeout);
    connection_t *connection = need(sizeof *connection);
    *connection = (connection_t){.db = db};
    *ret = exports_ringfence_sqlite_database_connection_new(connection);
    return true;
}

void exports_ringfence_sqlite_database_method_connection_disconnect(connection_t *self) {
    while (self->statements != NULL) {
        end_statement(self->statements);
    }
    sqlite3_close_v2(self->db);
    self->db = NULL;
}

void exports_ringfence_sqlite_database_connection_destructor(connection_t *rep) {
    exports_ringfence_sqlite_database_method_connection_disconnect(rep);
    free(rep);
}

// Statements

// Whether SQL can be run at all; if not, it is freed.
static bool is_sql(const connection_t *self, string_t *sql, const char *has_null, error_t *err) {
    bool fits = self->db != NULL ? sql->len <= (size_t)sqlite3_limit(self->db, SQLITE_LIMIT_SQL_LENGTH, -1) || is_too_large(err)
                                 : is_closed(err);
    fits = fits && (!has_zero(sql) || misused(err, "%s", has_null));
    if (!fits) {
        sqlite_client_string_free(sql);
    }
    return fits;
}

bool exports_ringfence_sqlite_database_method_connection_prepare(connection_t *self, string_t *sql,
                                                                 exports_ringfence_sqlite_database_own_statement_t *ret, error_t *err) {
    if (!is_sql(self, sql, "the query contains a null character", err)) {
        return false;
    }
    char *text = owned(sql);
    const char *rest = NULL;
    sqlite3_stmt *command = NULL;
    int code = sqlite3_prepare_v3(self->db, text, -1, SQLITE_PREPARE_PERSISTENT, &command, &rest);
    bool alone = code == SQLITE_OK && is_blank(rest);
    free(text);
    if (code != SQLITE_OK) {
        return fails(err, self->db, code);
    }
    if (!alone) {
        sqlite3_finalize(command);
        return misused(err, "You can only execute one statement at a time.");
    }
    statement_t *statement = need(sizeof *statement);
    *statement = (statement_t){.home = self, .command = command, .next = self->statements, .back = &self->statements};
    if (statement->next != NULL) {
        statement->next->back = &statement->next;
    }
    self->statements = statement;
    *ret = exports_ringfence_sqlite_database_statement_new(statement);
    return true;
}

// Runs all commands of a text.
static bool run(connection_t *self, const char *sql, error_t *err) {
    if (self->db == NULL) {
        return is_closed(err);
    }
    while (*sql) {
        sqlite3_stmt *command = NULL;
        int code = sqlite3_prepare_v2(self->db, sql, -1, &command, &sql);
        while (code == SQLITE_OK && command != NULL && (code = sqlite3_step(command)) == SQLITE_ROW) {
            code = SQLITE_OK;
        }
        if (code != SQLITE_OK && code != SQLITE_DONE) {
            fails(err, self->db, code);
            sqlite3_finalize(command);
            return false;
        }
        sqlite3_finalize(command);
    }
    return true;
}

bool exports_ringfence_sqlite_database_method_connection_run_script(connection_t *self, string_t *sql, status_t *ret, error_t *err) {
    if (!is_sql(self, sql, "embedded null character", err)) {
        return false;
    }
    char *text = owned(sql);
    bool done = run(self, text, err);
    free(text);
    *ret = status_of(self, 0);
    return done;
}

// Transactions

static bool run_one(connection_t *self, const char *sql, status_t *ret, error_t *err) {
    bool done = run(self, sql, err);
    *ret = status_of(self, 0);
    return done;
}

bool exports_ringfence_sqlite_database_method_connection_begin(connection_t *self, exports_ringfence_sqlite_database_transaction_t mode,
                                                               status_t *ret, error_t *err) {
    static const char *const begin[] = {"BEGIN DEFERRED", "BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"};
    return run_one(self, begin[mode], ret, err);
}

bool exports_ringfence_sqlite_database_method_connection_commit(connection_t *self, status_t *ret, error_t *err) {
    return run_one(self, "COMMIT", ret, err);
}

bool exports_ringfence_sqlite_database_method_connection_rollback(connection_t *self, status_t *ret, error_t *err) {
    return run_one(self, "ROLLBACK", ret, err);
}

void exports_ringfence_sqlite_database_method_connection_status(connection_t *self, status_t *ret) {
    *ret = status_of(self, 0);
}

// Settings

bool exports_ringfence_sqlite_database_method_connection_set_busy_timeout(connection_t *self, uint32_t milliseconds, error_t *err) {
    if (self->db == NULL) {
        return is_closed(err);
    }
    sqlite3_busy_timeout(self->db, milliseconds > MOST_TIME ? MOST_TIME : (int)milliseconds);
    return true;
}

bool exports_ringfence_sqlite_database_method_connection_set_limit(connection_t *self, int32_t category, int32_t value, int32_t *ret,
                                                                   error_t *err) {
    if (self->db == NULL) {
        return is_closed(err);
    }
    *ret = sqlite3_limit(self->db, category, value);
    return *ret >= 0 || misused(err, "'category' is out of bounds");
}

// Whole databases. SQLite is built so that its memory is malloc's, and changes hands without a copy.

bool exports_ringfence_sqlite_database_method_connection_serialize(connection_t *self, string_t *schema, bytes_t *ret, error_t *err) {
    char *name = owned(schema);
    sqlite3_int64 size = -1;
    uint8_t *data = self->db ? sqlite3_serialize(self->db, name, &size, 0) : NULL;
    bool done = data != NULL || size == 0;
    if (self->db == NULL) {
        is_closed(err);
    } else if (!done) {
        size > 0 ? fails_of_memory(err) : misused(err, "unable to serialize '%s'", name);
    }
    free(name);
    if (done && size == 0) {
        sqlite3_free(data);
        data = NULL;
    }
    *ret = (bytes_t){.ptr = data, .len = done ? (size_t)size : 0};
    return done;
}

bool exports_ringfence_sqlite_database_method_connection_deserialize(connection_t *self, string_t *schema, bytes_t *data, error_t *err) {
    char *name = owned(schema);
    uint8_t *content = data->len > 0 ? data->ptr : need(1);
    int code = SQLITE_MISUSE;
    if (self->db == NULL) {
        free(content);
    } else { // it takes the content, also where it fails
        code = sqlite3_deserialize(self->db, name, content, (sqlite3_int64)data->len, (sqlite3_int64)data->len,
                                   SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE);
    }
    free(name);
    return code == SQLITE_OK || (self->db == NULL ? is_closed(err) : fails(err, self->db, code));
}
