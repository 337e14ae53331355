// What SQLite refuses, as the error case of a WIT result: its codes, their names, its words.

#include "client.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NAME(code) {code, #code}

static const struct {
    int code;
    const char *name;
} names[] = {
    NAME(SQLITE_ERROR), NAME(SQLITE_INTERNAL), NAME(SQLITE_PERM), NAME(SQLITE_ABORT), NAME(SQLITE_BUSY), NAME(SQLITE_LOCKED),
    NAME(SQLITE_NOMEM), NAME(SQLITE_READONLY), NAME(SQLITE_INTERRUPT), NAME(SQLITE_IOERR), NAME(SQLITE_CORRUPT), NAME(SQLITE_NOTFOUND),
    NAME(SQLITE_FULL), NAME(SQLITE_CANTOPEN), NAME(SQLITE_PROTOCOL), NAME(SQLITE_EMPTY), NAME(SQLITE_SCHEMA), NAME(SQLITE_TOOBIG),
    NAME(SQLITE_CONSTRAINT), NAME(SQLITE_MISMATCH), NAME(SQLITE_MISUSE), NAME(SQLITE_NOLFS), NAME(SQLITE_AUTH), NAME(SQLITE_FORMAT),
    NAME(SQLITE_RANGE), NAME(SQLITE_NOTADB), NAME(SQLITE_NOTICE), NAME(SQLITE_WARNING),
    NAME(SQLITE_ERROR_MISSING_COLLSEQ), NAME(SQLITE_ERROR_RETRY), NAME(SQLITE_ERROR_SNAPSHOT),
    NAME(SQLITE_IOERR_READ), NAME(SQLITE_IOERR_SHORT_READ), NAME(SQLITE_IOERR_WRITE), NAME(SQLITE_IOERR_FSYNC),
    NAME(SQLITE_IOERR_DIR_FSYNC), NAME(SQLITE_IOERR_TRUNCATE), NAME(SQLITE_IOERR_FSTAT), NAME(SQLITE_IOERR_UNLOCK),
    NAME(SQLITE_IOERR_RDLOCK), NAME(SQLITE_IOERR_DELETE), NAME(SQLITE_IOERR_BLOCKED), NAME(SQLITE_IOERR_NOMEM),
    NAME(SQLITE_IOERR_ACCESS), NAME(SQLITE_IOERR_CHECKRESERVEDLOCK), NAME(SQLITE_IOERR_LOCK), NAME(SQLITE_IOERR_CLOSE),
    NAME(SQLITE_IOERR_DIR_CLOSE), NAME(SQLITE_IOERR_SEEK), NAME(SQLITE_IOERR_DELETE_NOENT), NAME(SQLITE_IOERR_GETTEMPPATH),
    NAME(SQLITE_IOERR_CONVPATH), NAME(SQLITE_IOERR_VNODE), NAME(SQLITE_IOERR_AUTH), NAME(SQLITE_IOERR_BEGIN_ATOMIC),
    NAME(SQLITE_IOERR_COMMIT_ATOMIC), NAME(SQLITE_IOERR_ROLLBACK_ATOMIC), NAME(SQLITE_IOERR_DATA), NAME(SQLITE_IOERR_CORRUPTFS),
    NAME(SQLITE_LOCKED_SHAREDCACHE), NAME(SQLITE_LOCKED_VTAB), NAME(SQLITE_BUSY_RECOVERY), NAME(SQLITE_BUSY_SNAPSHOT),
    NAME(SQLITE_CANTOPEN_NOTEMPDIR), NAME(SQLITE_CANTOPEN_ISDIR), NAME(SQLITE_CANTOPEN_FULLPATH), NAME(SQLITE_CANTOPEN_CONVPATH),
    NAME(SQLITE_CANTOPEN_SYMLINK), NAME(SQLITE_CORRUPT_VTAB), NAME(SQLITE_CORRUPT_SEQUENCE), NAME(SQLITE_CORRUPT_INDEX),
    NAME(SQLITE_READONLY_RECOVERY), NAME(SQLITE_READONLY_CANTLOCK), NAME(SQLITE_READONLY_ROLLBACK), NAME(SQLITE_READONLY_DBMOVED),
    NAME(SQLITE_READONLY_CANTINIT), NAME(SQLITE_READONLY_DIRECTORY), NAME(SQLITE_ABORT_ROLLBACK), NAME(SQLITE_CONSTRAINT_CHECK),
    NAME(SQLITE_CONSTRAINT_COMMITHOOK), NAME(SQLITE_CONSTRAINT_FOREIGNKEY), NAME(SQLITE_CONSTRAINT_FUNCTION),
    NAME(SQLITE_CONSTRAINT_NOTNULL), NAME(SQLITE_CONSTRAINT_PRIMARYKEY), NAME(SQLITE_CONSTRAINT_TRIGGER),
    NAME(SQLITE_CONSTRAINT_UNIQUE), NAME(SQLITE_CONSTRAINT_VTAB), NAME(SQLITE_CONSTRAINT_ROWID), NAME(SQLITE_CONSTRAINT_PINNED),
    NAME(SQLITE_CONSTRAINT_DATATYPE), NAME(SQLITE_AUTH_USER),
};

static const char *name_of(int code) {
    for (size_t at = 0; at < sizeof names / sizeof *names; at++) {
        if (names[at].code == code) {
            return names[at].name;
        }
    }
    return code > 0xFF ? name_of(code & 0xFF) : "SQLITE_ERROR";
}

static const char *const log_refused =
    "the database has a write-ahead log, which a fenced SQLite does not use: have another program set PRAGMA journal_mode = DELETE";

// Whether one of the databases was refused because of its write-ahead log.
static bool meets_log(sqlite3 *db) {
    for (int number = 0; sqlite3_db_name(db, number) != NULL; number++) {
        bool has_log = false;
        if (sqlite3_file_control(db, sqlite3_db_name(db, number), FCNTL_HAS_LOG, &has_log) == SQLITE_OK && has_log) {
            return true;
        }
    }
    return false;
}

static bool failed(error_t *error, int code, const char *message, int offset) {
    error->tag = TAG(ERROR, DATABASE);
    failure_t *failure = &error->val.database;
    failure->code = code;
    sqlite_client_string_dup(&failure->name, name_of(code));
    take_text(&failure->message, message);
    failure->offset.is_some = offset >= 0;
    failure->offset.val = offset >= 0 ? (uint32_t)offset : 0;
    return false;
}

bool fails(error_t *error, sqlite3 *db, int code) {
    int told = db ? sqlite3_extended_errcode(db) : code;
    if (db == NULL || (told & 0xFF) != (code & 0xFF)) { // SQLite's own words are of something else
        return failed(error, code, sqlite3_errstr(code), -1);
    }
    int offset = sqlite3_error_offset(db);
    if ((told & 0xFF) == SQLITE_NOTADB && meets_log(db)) {
        return failed(error, told, log_refused, -1);
    }
    return failed(error, told, sqlite3_errmsg(db), offset);
}

bool fails_of_memory(error_t *error) {
    return failed(error, SQLITE_NOMEM, sqlite3_errstr(SQLITE_NOMEM), -1);
}

bool is_too_large(error_t *error) {
    return failed(error, SQLITE_TOOBIG, "query string is too large", -1);
}

bool misused(error_t *error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = sqlite3_vmprintf(format, arguments);
    va_end(arguments);
    error->tag = TAG(ERROR, USAGE);
    take_text(&error->val.usage, text);
    sqlite3_free(text);
    return false;
}

bool is_closed(error_t *error) {
    return misused(error, "Cannot operate on a closed database.");
}
