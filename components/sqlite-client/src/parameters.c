// What a caller binds to a command.

#include "client.h"

#include <string.h>

static int bind_text(sqlite3_stmt *command, int place, const uint8_t *text, size_t length) {
    return sqlite3_bind_text64(command, place, length ? (const char *)text : "", length, SQLITE_STATIC, SQLITE_UTF8);
}

static int bind_blob(sqlite3_stmt *command, int place, const uint8_t *blob, size_t length) {
    return sqlite3_bind_blob64(command, place, length ? (const void *)blob : "", length, SQLITE_STATIC);
}

static int bind_value(sqlite3_stmt *command, int place, const value_t *value) {
    switch (value->tag) {
    case TAG(VALUE, INTEGER):
        return sqlite3_bind_int64(command, place, value->val.integer);
    case TAG(VALUE, REAL):
        return sqlite3_bind_double(command, place, value->val.real);
    case TAG(VALUE, TEXT):
        return bind_text(command, place, value->val.text.ptr, value->val.text.len);
    case TAG(VALUE, BLOB):
        return bind_blob(command, place, value->val.blob.ptr, value->val.blob.len);
    default:
        return sqlite3_bind_null(command, place);
    }
}

static bool has_place_for(sqlite3_stmt *command, size_t count, error_t *error) {
    int wanted = sqlite3_bind_parameter_count(command);
    return (size_t)wanted == count || misused(error, "Incorrect number of bindings supplied. The current statement uses %d, and there are %u supplied.",
                                              wanted, (unsigned)count);
}

bool bind_values(sqlite3 *db, sqlite3_stmt *command, const row_t *row, error_t *error) {
    if (!has_place_for(command, row->len, error)) {
        return false;
    }
    for (size_t at = 0; at < row->len; at++) {
        int code = bind_value(command, (int)at + 1, &row->ptr[at]);
        if (code != SQLITE_OK) {
            return fails(error, db, code);
        }
    }
    return true;
}

typedef exports_ringfence_sqlite_database_list_tuple2_string_value_t named_t;

// The value of a name; names mostly come in the order of the command.
static const value_t *value_of(const named_t *given, const char *name, size_t likely) {
    size_t length = strlen(name);
    for (size_t step = 0; step < given->len; step++) {
        size_t at = (likely + step) % given->len;
        const string_t *found = &given->ptr[at].f0;
        if (found->len == length && memcmp(found->ptr, name, length) == 0) {
            return &given->ptr[at].f1;
        }
    }
    return NULL;
}

static bool bind_named(sqlite3 *db, sqlite3_stmt *command, const named_t *given, error_t *error) {
    int count = sqlite3_bind_parameter_count(command);
    for (int place = 1; place <= count; place++) {
        const char *name = sqlite3_bind_parameter_name(command, place);
        if (name == NULL) {
            return misused(error, "Binding %d has no name, but you supplied a dictionary (which has only names).", place);
        }
        const value_t *value = value_of(given, name + 1, (size_t)place - 1);
        if (value == NULL) {
            return misused(error, "You did not supply a value for binding parameter :%s.", name + 1);
        }
        int code = bind_value(command, place, value);
        if (code != SQLITE_OK) {
            return fails(error, db, code);
        }
    }
    return true;
}

bool bind_parameters(sqlite3 *db, sqlite3_stmt *command, const parameters_t *given, error_t *error) {
    if (given->tag == TAG(PARAMETERS, NAMED)) {
        return bind_named(db, command, &given->val.named, error);
    }
    return bind_values(db, command, &given->val.positional, error);
}

// By column

static size_t height_of(const column_values_t *values) {
    switch (values->tag) {
    case TAG(COLUMN_VALUES, INTEGERS):
        return values->val.integers.len;
    case TAG(COLUMN_VALUES, REALS):
        return values->val.reals.len;
    case TAG(COLUMN_VALUES, TEXTS):
        return values->val.texts.ends.len;
    case TAG(COLUMN_VALUES, BLOBS):
        return values->val.blobs.ends.len;
    default:
        return values->val.values.len;
    }
}

static bool is_whole(const packed_t *packed) {
    uint32_t end = 0;
    for (size_t at = 0; at < packed->ends.len; at++) {
        if (packed->ends.ptr[at] < end || packed->ends.ptr[at] > packed->bytes.len) {
            return false;
        }
        end = packed->ends.ptr[at];
    }
    return true;
}

bool is_well_formed(const table_t *table, error_t *error) {
    for (size_t at = 0; at < table->columns.len; at++) {
        const column_t *column = &table->columns.ptr[at];
        bool whole = height_of(&column->values) == table->height;
        if (column->values.tag == TAG(COLUMN_VALUES, TEXTS)) {
            whole = whole && is_whole(&column->values.val.texts);
        } else if (column->values.tag == TAG(COLUMN_VALUES, BLOBS)) {
            whole = whole && is_whole(&column->values.val.blobs);
        }
        for (size_t null = 0; whole && null < column->nulls.len; null++) {
            whole = column->nulls.ptr[null] < table->height && (null == 0 || column->nulls.ptr[null] > column->nulls.ptr[null - 1]);
        }
        if (!whole) {
            return misused(error, "column %u of the batch is malformed: its parts don't fit together", (unsigned)at + 1);
        }
    }
    return true;
}

static bool is_null(const column_t *column, uint32_t row) {
    size_t low = 0, high = column->nulls.len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (column->nulls.ptr[middle] < row) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < column->nulls.len && column->nulls.ptr[low] == row;
}

static int bind_cell(sqlite3_stmt *command, int place, const column_t *column, uint32_t row) {
    const column_values_t *values = &column->values;
    if (is_null(column, row)) {
        return sqlite3_bind_null(command, place);
    }
    switch (values->tag) {
    case TAG(COLUMN_VALUES, INTEGERS):
        return sqlite3_bind_int64(command, place, values->val.integers.ptr[row]);
    case TAG(COLUMN_VALUES, REALS):
        return sqlite3_bind_double(command, place, values->val.reals.ptr[row]);
    case TAG(COLUMN_VALUES, VALUES):
        return bind_value(command, place, &values->val.values.ptr[row]);
    }
    const packed_t *packed = values->tag == TAG(COLUMN_VALUES, TEXTS) ? &values->val.texts : &values->val.blobs;
    uint32_t start = row ? packed->ends.ptr[row - 1] : 0, length = packed->ends.ptr[row] - start;
    const uint8_t *part = length ? packed->bytes.ptr + start : NULL;
    return values->tag == TAG(COLUMN_VALUES, TEXTS) ? bind_text(command, place, part, length) : bind_blob(command, place, part, length);
}

bool bind_table_row(sqlite3 *db, sqlite3_stmt *command, const table_t *table, uint32_t row, error_t *error) {
    if (!has_place_for(command, table->columns.len, error)) {
        return false;
    }
    for (size_t at = 0; at < table->columns.len; at++) {
        int code = bind_cell(command, (int)at + 1, &table->columns.ptr[at], row);
        if (code != SQLITE_OK) {
            return fails(error, db, code);
        }
    }
    return true;
}
