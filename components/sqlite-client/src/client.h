// What the parts of the component know of each other, and short names for what the WIT calls things.

#pragma once

#include "sqlite_client.h"

#include <sqlite3.h>

typedef sqlite_client_string_t string_t;
typedef sqlite_client_list_u8_t bytes_t;
typedef exports_ringfence_sqlite_database_batch_t batch_t;
typedef exports_ringfence_sqlite_database_column_t column_t;
typedef exports_ringfence_sqlite_database_column_values_t column_values_t;
typedef exports_ringfence_sqlite_database_error_t error_t;
typedef exports_ringfence_sqlite_database_failure_t failure_t;
typedef exports_ringfence_sqlite_database_list_value_t row_t;
typedef exports_ringfence_sqlite_database_options_t options_t;
typedef exports_ringfence_sqlite_database_outcome_t outcome_t;
typedef exports_ringfence_sqlite_database_packed_t packed_t;
typedef exports_ringfence_sqlite_database_parameters_t parameters_t;
typedef exports_ringfence_sqlite_database_status_t status_t;
typedef exports_ringfence_sqlite_database_table_t table_t;
typedef exports_ringfence_sqlite_database_value_t value_t;
typedef exports_ringfence_sqlite_database_connection_t connection_t;
typedef exports_ringfence_sqlite_database_statement_t statement_t;

#define TAG(of, name) EXPORTS_RINGFENCE_SQLITE_DATABASE_##of##_##name

// The resource `connection`. Its statements are listed, since they end with it.
struct exports_ringfence_sqlite_database_connection_t {
    sqlite3 *db; // NULL: disconnected
    statement_t *statements;
};

// The resource `statement`.
struct exports_ringfence_sqlite_database_statement_t {
    connection_t *home;        // NULL: its connection has ended
    statement_t *next, **back; // in the list of its connection
    sqlite3_stmt *command;     // NULL: nothing but blanks and comments
    parameters_t bound;        // what SQLite reads while the command runs; it makes no copy
    bool is_bound;
    bool waiting;         // SQLite stands on a row that no batch took yet
    bool has_late;        // `late` came after rows, and is told by the next fetch
    error_t late;
    char **told;          // the columns' names as they were told last
    int told_count;
    sqlite3_int64 before; // the connection's total of changes when it was run
};

// texts.c

bool is_utf8(const uint8_t *text, size_t length);
// A copy; what is not UTF-8 in it is replaced, as a WIT string holds nothing else.
void copy_text(string_t *out, const char *text, size_t length);
void take_text(string_t *out, const char *text);
// Whether SQL has no command in it.
bool is_blank(const char *sql);
// malloc, for what is small: a trap where there is no memory for it.
void *need(size_t size);

// failures.c: each sets `error` and is false

bool fails(error_t *error, sqlite3 *db, int code);
bool fails_of_memory(error_t *error);
__attribute__((format(printf, 2, 3))) bool misused(error_t *error, const char *format, ...);
bool is_closed(error_t *error);
bool is_too_large(error_t *error);

// parameters.c

// What SQLite is given stays the parameters' own, and must live until the bindings are cleared.
bool bind_parameters(sqlite3 *db, sqlite3_stmt *command, const parameters_t *given, error_t *error);
bool bind_values(sqlite3 *db, sqlite3_stmt *command, const row_t *row, error_t *error);
bool is_well_formed(const table_t *table, error_t *error);
bool bind_table_row(sqlite3 *db, sqlite3_stmt *command, const table_t *table, uint32_t row, error_t *error);

// rows.c

// Rows on their way into a batch, by column.
typedef struct gathered gathered_t;
typedef enum { ADDED, APART, NO_MEMORY } added_t;

gathered_t *gather(int columns);
uint32_t gathered_rows(const gathered_t *rows);
size_t gathered_size(const gathered_t *rows); // in bytes, about
// Adds the row that SQLite stands on. APART: it has to begin a batch of its own.
added_t add_row(gathered_t *rows, sqlite3_stmt *command);
// The batch; `rows` is gone afterwards. False: there was no memory for it.
bool make_batch(gathered_t *rows, batch_t *batch);
void throw_away(gathered_t *rows);

// connection.c

status_t status_of(const connection_t *connection, uint64_t changes);

// statement.c

void end_statement(statement_t *statement); // its connection ends

// file.c and vfs.c

extern const sqlite3_io_methods file_methods;

// What SQLite holds of an open file.
typedef struct {
    sqlite3_file base;
    wasi_filesystem_types_own_descriptor_t descriptor;
    const char *path; // SQLite's, which outlives the file
    wasi_filesystem_types_metadata_hash_value_t identity; // of a database: which file it is
    uint8_t level;        // SQLITE_LOCK_*
    uint8_t held;         // which of the three locks
    bool is_database;
    bool has_log;         // it was last written with a write-ahead log
    bool is_new;          // its name is not safe on the disk yet
} file_t;

#define FCNTL_HAS_LOG 0x52460001 // whether the database is one with a write-ahead log, into a bool

// Where a path leads: a granted folder, and the path from there.
typedef struct {
    wasi_filesystem_types_borrow_descriptor_t folder;
    string_t path;
} place_t;

bool find_place(const char *path, place_t *place);
int sync_folder_of(const char *path);
int lock_file(sqlite3_file *base, int level);
int unlock_file(sqlite3_file *base, int level);
int check_reserved(sqlite3_file *base, int *answer);
