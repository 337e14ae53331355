// Rows into a batch. They are kept by column from the start: numbers in a list, texts one behind the other, and where a column has
// values of several kinds, the values. A few rows are taken apart again at the end, since they cross as they are.

#include "client.h"

#include <stdlib.h>
#include <string.h>

#define FEW 8 // rows up to which they cross as they are

typedef struct {
    void *data;
    size_t length, room; // in bytes
} list_t;

typedef struct {
    int kind;     // SQLITE_INTEGER and so on; SQLITE_NULL: nothing but nulls yet; MIXED
    list_t nulls; // uint32_t; not in a mixed column
    list_t items; // int64_t, double, uint32_t (ends) or value_t, as the kind is
    list_t bytes;
} kept_t;

#define MIXED 0

struct gathered {
    uint32_t height;
    size_t size;
    int width;
    kept_t columns[];
};

static void *more(list_t *list, size_t count) {
    if (list->length + count > list->room) {
        size_t room = list->room * 2 > list->length + count ? list->room * 2 : list->length + count + 64;
        void *data = realloc(list->data, room);
        if (data == NULL) {
            return NULL;
        }
        list->data = data, list->room = room;
    }
    void *place = (char *)list->data + list->length;
    list->length += count;
    return place;
}

gathered_t *gather(int columns) {
    gathered_t *rows = need(sizeof *rows + (size_t)columns * sizeof *rows->columns);
    *rows = (gathered_t){.width = columns};
    for (int at = 0; at < columns; at++) {
        rows->columns[at] = (kept_t){.kind = SQLITE_NULL};
    }
    return rows;
}

uint32_t gathered_rows(const gathered_t *rows) {
    return rows->height;
}

size_t gathered_size(const gathered_t *rows) {
    return rows->size;
}

static bool is_null(const kept_t *column, uint32_t row) {
    const uint32_t *nulls = column->nulls.data;
    for (size_t at = column->nulls.length / sizeof *nulls; at-- > 0 && nulls[at] >= row;) {
        if (nulls[at] == row) {
            return true;
        }
    }
    return false;
}

// A copy in memory of its own; false where there is none.
static bool copied(const uint8_t *from, size_t length, uint8_t **to, size_t *to_length) {
    *to = length ? malloc(length) : NULL, *to_length = length;
    if (length && *to == NULL) {
        return false;
    }
    memcpy(*to, from, length);
    return true;
}

static bool make_value(const uint8_t *data, size_t length, int kind, value_t *value) {
    value->tag = kind == SQLITE_TEXT ? TAG(VALUE, TEXT) : TAG(VALUE, BLOB);
    if (copied(data, length, &value->val.blob.ptr, &value->val.blob.len)) { // a text is laid out as a blob is
        return true;
    }
    *value = (value_t){.tag = TAG(VALUE, NULL)};
    return false;
}

// The value in a row of a column that is not mixed.
static bool value_in(const kept_t *column, uint32_t row, value_t *value) {
    *value = (value_t){.tag = TAG(VALUE, NULL)};
    if (column->kind == SQLITE_NULL || is_null(column, row)) {
        return true;
    }
    if (column->kind == SQLITE_INTEGER) {
        *value = (value_t){.tag = TAG(VALUE, INTEGER), .val.integer = ((int64_t *)column->items.data)[row]};
        return true;
    }
    if (column->kind == SQLITE_FLOAT) {
        *value = (value_t){.tag = TAG(VALUE, REAL), .val.real = ((double *)column->items.data)[row]};
        return true;
    }
    const uint32_t *ends = column->items.data;
    uint32_t start = row ? ends[row - 1] : 0;
    return make_value((uint8_t *)column->bytes.data + start, ends[row] - start, column->kind, value);
}

static void empty(kept_t *column) {
    free(column->nulls.data), free(column->items.data), free(column->bytes.data);
    *column = (kept_t){.kind = SQLITE_NULL};
}

static void free_values(list_t *items) {
    value_t *values = items->data;
    for (size_t at = 0; at < items->length / sizeof *values; at++) {
        exports_ringfence_sqlite_database_value_free(&values[at]);
    }
}

static bool all_utf8(const kept_t *column) {
    const uint32_t *ends = column->items.data;
    uint32_t start = 0;
    for (size_t at = 0; column->kind == SQLITE_TEXT && at < column->items.length / sizeof *ends; start = ends[at++]) {
        if (!is_utf8((uint8_t *)column->bytes.data + start, ends[at] - start)) {
            return false;
        }
    }
    return true;
}

// Makes a column one of values.
static bool mix(kept_t *column, uint32_t height) {
    kept_t mixed = {.kind = MIXED};
    for (uint32_t row = 0; row < height; row++) {
        value_t *value = more(&mixed.items, sizeof *value);
        if (value == NULL || !value_in(column, row, value)) {
            free_values(&mixed.items);
            free(mixed.items.data);
            return false;
        }
    }
    empty(column);
    *column = mixed;
    return true;
}

static bool add_null(kept_t *column, uint32_t row) {
    uint32_t *null = more(&column->nulls, sizeof row);
    if (null == NULL) {
        return false;
    }
    *null = row;
    size_t item = column->kind == SQLITE_NULL ? 0 : column->kind == SQLITE_INTEGER || column->kind == SQLITE_FLOAT ? 8 : 4;
    void *place = item ? more(&column->items, item) : column;
    if (place == NULL) {
        return false;
    }
    if (item == 8) {
        memset(place, 0, 8);
    } else if (item == 4) {
        *(uint32_t *)place = (uint32_t)column->bytes.length; // an empty part
    }
    return true;
}

static bool add_mixed(kept_t *column, sqlite3_stmt *command, int place) {
    value_t *value = more(&column->items, sizeof *value);
    if (value == NULL) {
        return false;
    }
    *value = (value_t){.tag = TAG(VALUE, NULL)};
    int kind = sqlite3_column_type(command, place);
    if (kind == SQLITE_INTEGER) {
        *value = (value_t){.tag = TAG(VALUE, INTEGER), .val.integer = sqlite3_column_int64(command, place)};
    } else if (kind == SQLITE_FLOAT) {
        *value = (value_t){.tag = TAG(VALUE, REAL), .val.real = sqlite3_column_double(command, place)};
    } else if (kind != SQLITE_NULL) {
        const uint8_t *data = kind == SQLITE_TEXT ? sqlite3_column_text(command, place) : sqlite3_column_blob(command, place);
        size_t length = (size_t)sqlite3_column_bytes(command, place);
        return (data != NULL || length == 0) && make_value(data, length, kind, value);
    }
    return true;
}

static bool add_part(kept_t *column, const uint8_t *data, size_t length) {
    uint32_t *end = more(&column->items, sizeof *end);
    void *part = end ? more(&column->bytes, length) : NULL;
    if (part == NULL && (end == NULL || length > 0)) {
        return false;
    }
    if (length > 0) {
        memcpy(part, data, length);
    }
    *end = (uint32_t)column->bytes.length;
    return true;
}

// Adds a value of the column's own kind.
static bool add_value(kept_t *column, sqlite3_stmt *command, int place) {
    if (column->kind == SQLITE_INTEGER || column->kind == SQLITE_FLOAT) {
        void *item = more(&column->items, 8);
        if (item == NULL) {
            return false;
        }
        if (column->kind == SQLITE_INTEGER) {
            *(int64_t *)item = sqlite3_column_int64(command, place);
        } else {
            *(double *)item = sqlite3_column_double(command, place);
        }
        return true;
    }
    const uint8_t *data = column->kind == SQLITE_TEXT ? sqlite3_column_text(command, place) : sqlite3_column_blob(command, place);
    size_t length = (size_t)sqlite3_column_bytes(command, place);
    return (data != NULL || length == 0) && add_part(column, data, length);
}

// Gives a column of nulls the kind of the first value that is none.
static bool become(kept_t *column, int kind, uint32_t height) {
    column->kind = kind;
    column->nulls.length = 0;
    for (uint32_t row = 0; row < height; row++) {
        if (!add_null(column, row)) {
            return false;
        }
    }
    return true;
}

static bool add_cell(kept_t *column, sqlite3_stmt *command, int place, uint32_t row) {
    int kind = sqlite3_column_type(command, place);
    if (column->kind == MIXED) {
        return add_mixed(column, command, place);
    }
    if (kind == SQLITE_NULL) {
        return add_null(column, row);
    }
    if (column->kind == SQLITE_NULL && !become(column, kind, row)) {
        return false;
    }
    if (column->kind == kind) {
        return add_value(column, command, place);
    }
    return mix(column, row) && add_mixed(column, command, place);
}

// Whether a row would put a text that is not UTF-8 into a column of values, where no such text can cross.
static bool is_apart(const gathered_t *rows, sqlite3_stmt *command) {
    for (int at = 0; rows->height > 0 && at < rows->width; at++) {
        const kept_t *column = &rows->columns[at];
        int kind = sqlite3_column_type(command, at);
        if (kind == SQLITE_NULL || column->kind == kind || column->kind == SQLITE_NULL) {
            continue;
        }
        if (kind == SQLITE_TEXT && !is_utf8(sqlite3_column_text(command, at), (size_t)sqlite3_column_bytes(command, at))) {
            return true;
        }
        if (!all_utf8(column)) {
            return true;
        }
    }
    return false;
}

added_t add_row(gathered_t *rows, sqlite3_stmt *command) {
    if (is_apart(rows, command)) {
        return APART;
    }
    size_t size = 0;
    for (int at = 0; at < rows->width; at++) {
        if (!add_cell(&rows->columns[at], command, at, rows->height)) {
            return NO_MEMORY;
        }
        int kind = sqlite3_column_type(command, at);
        size += 16 + (kind == SQLITE_TEXT || kind == SQLITE_BLOB ? (size_t)sqlite3_column_bytes(command, at) : 0);
    }
    rows->height++;
    rows->size += size;
    return ADDED;
}

void throw_away(gathered_t *rows) {
    for (int at = 0; at < rows->width; at++) {
        if (rows->columns[at].kind == MIXED) {
            free_values(&rows->columns[at].items);
        }
        empty(&rows->columns[at]);
    }
    free(rows);
}

// The memory of a list, which is nobody's then. An empty one has none, as nobody would free it.
static void *released(list_t *list, size_t size, size_t *count) {
    void *data = list->data;
    *count = list->length / size;
    if (*count == 0) {
        free(data);
        data = NULL;
    }
    *list = (list_t){0};
    return data;
}

static void make_column(kept_t *column, column_t *out) {
    out->nulls.ptr = released(&column->nulls, sizeof(uint32_t), &out->nulls.len);
    column_values_t *values = &out->values;
    switch (column->kind) {
    case SQLITE_INTEGER:
        values->tag = TAG(COLUMN_VALUES, INTEGERS);
        values->val.integers.ptr = released(&column->items, sizeof(int64_t), &values->val.integers.len);
        return;
    case SQLITE_FLOAT:
        values->tag = TAG(COLUMN_VALUES, REALS);
        values->val.reals.ptr = released(&column->items, sizeof(double), &values->val.reals.len);
        return;
    case SQLITE_TEXT:
    case SQLITE_BLOB:
        values->tag = column->kind == SQLITE_TEXT ? TAG(COLUMN_VALUES, TEXTS) : TAG(COLUMN_VALUES, BLOBS);
        values->val.texts.bytes.ptr = released(&column->bytes, 1, &values->val.texts.bytes.len);
        values->val.texts.ends.ptr = released(&column->items, sizeof(uint32_t), &values->val.texts.ends.len);
        return;
    default:
        values->tag = TAG(COLUMN_VALUES, VALUES);
        values->val.values.ptr = released(&column->items, sizeof(value_t), &values->val.values.len);
    }
}

static bool make_columns(gathered_t *rows, batch_t *batch) {
    for (int at = 0; at < rows->width; at++) {
        if (rows->columns[at].kind == SQLITE_NULL && !mix(&rows->columns[at], rows->height)) {
            return false;
        }
    }
    size_t width = (size_t)rows->width;
    batch->tag = TAG(BATCH, COLUMNS);
    batch->val.columns.height = rows->height;
    batch->val.columns.columns.len = width;
    batch->val.columns.columns.ptr = width ? need(width * sizeof(column_t)) : NULL;
    for (size_t at = 0; at < width; at++) {
        make_column(&rows->columns[at], &batch->val.columns.columns.ptr[at]);
    }
    return true;
}

static bool make_rows(const gathered_t *rows, batch_t *batch) {
    size_t width = (size_t)rows->width, height = rows->height;
    batch->tag = TAG(BATCH, ROWS);
    batch->val.rows.len = height;
    batch->val.rows.ptr = height ? need(height * sizeof(row_t)) : NULL;
    bool whole = true;
    for (size_t row = 0; row < height; row++) {
        row_t *out = &batch->val.rows.ptr[row];
        out->len = width;
        out->ptr = width ? need(width * sizeof(value_t)) : NULL;
        for (size_t at = 0; at < width; at++) {
            const kept_t *column = &rows->columns[at];
            value_t *value = &out->ptr[at];
            if (column->kind == MIXED) {
                value_t *kept = &((value_t *)column->items.data)[row];
                *value = *kept;
                *kept = (value_t){.tag = TAG(VALUE, NULL)};
            } else {
                whole = value_in(column, (uint32_t)row, value) && whole;
            }
        }
    }
    return whole;
}

bool make_batch(gathered_t *rows, batch_t *batch) {
    bool as_rows = rows->height <= FEW;
    for (int at = 0; as_rows && at < rows->width; at++) {
        as_rows = all_utf8(&rows->columns[at]);
    }
    bool made = as_rows ? make_rows(rows, batch) : make_columns(rows, batch);
    if (as_rows && !made) {
        exports_ringfence_sqlite_database_batch_free(batch);
    }
    throw_away(rows);
    return made;
}
