// Where a text that yyjson refused is wrong, and why.
//
// The parser's own places differ from what `wit/json` promises (it names the end of the text for whatever the end cuts short, and takes
// half of a surrogate pair for bad syntax). So the text is read once more, by rules that follow CPython's `json`, which decides nothing:
// what comes here is refused already.

#include "decoder.h"

#include <string.h>

typedef struct {
    const uint8_t *next, *end;
    fault_t syntax, surrogate;
} reader_t;

static const char *const VALUE = "Expecting value";

static bool wrong(reader_t *reader, const char *message, const uint8_t *place) {
    reader->syntax = (fault_t){KIND(SYNTAX), message, place};
    return false;
}

static bool at(const reader_t *reader, uint8_t byte) { return reader->next < reader->end && *reader->next == byte; }

static void skip_space(reader_t *reader) {
    while (at(reader, ' ') || at(reader, '\n') || at(reader, '\r') || at(reader, '\t')) {
        reader->next++;
    }
}

static bool skip_word(reader_t *reader, const char *word) {
    size_t length = strlen(word);
    if ((size_t)(reader->end - reader->next) < length || memcmp(reader->next, word, length) != 0) {
        return false;
    }
    reader->next += length;
    return true;
}

static void lone(reader_t *reader, const uint8_t *place) {
    if (place != NULL && reader->surrogate.message == NULL) {
        reader->surrogate = (fault_t){KIND(LONE_SURROGATE), "half of a surrogate pair", place};
    }
}

static int digit(uint8_t byte) {
    if (byte >= '0' && byte <= '9') {
        return byte - '0';
    }
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

// The unit of an escape whose `u` is at `place`, or -1; CPython wants a character after it, too.
static int unit_at(const reader_t *reader, const uint8_t *place) {
    int unit = 0;
    if (reader->end - place <= 5) {
        return -1;
    }
    for (int index = 1; index <= 4; index++) {
        int value = digit(place[index]);
        if (value < 0) {
            return -1;
        }
        unit = unit << 4 | value;
    }
    return unit;
}

// Past an escape. `high` is where one stands that wants the other half of its pair right here, or NULL.
static bool skip_escape(reader_t *reader, const uint8_t *quote, const uint8_t **high) {
    const uint8_t *escape = reader->next++;
    if (reader->next == reader->end) {
        return wrong(reader, "Unterminated string starting at", quote);
    }
    if (!at(reader, 'u')) {
        if (*reader->next == '\0' || strchr("\"\\/bfnrt", *reader->next) == NULL) {
            return wrong(reader, "Invalid \\escape", escape);
        }
        lone(reader, *high);
        *high = NULL;
        reader->next++;
        return true;
    }
    int unit = unit_at(reader, reader->next);
    if (unit < 0) {
        return wrong(reader, "Invalid \\uXXXX escape", reader->next);
    }
    bool is_low = unit >= 0xDC00 && unit < 0xE000;
    if (*high == NULL ? is_low : !is_low) {
        lone(reader, *high == NULL ? escape : *high);
    }
    *high = unit >= 0xD800 && unit < 0xDC00 ? escape : NULL;
    reader->next += 5;
    return true;
}

static bool skip_string(reader_t *reader) {
    const uint8_t *quote = reader->next++, *high = NULL;
    while (reader->next < reader->end) {
        uint8_t byte = *reader->next;
        if (byte == '\\') {
            if (!skip_escape(reader, quote, &high)) {
                return false;
            }
            continue;
        }
        if (byte < 0x20) {
            return wrong(reader, "Invalid control character at", reader->next);
        }
        lone(reader, high);
        high = NULL;
        reader->next++;
        if (byte == '"') {
            return true;
        }
    }
    return wrong(reader, "Unterminated string starting at", quote);
}

static bool skip_digits(reader_t *reader) {
    const uint8_t *first = reader->next;
    while (reader->next < reader->end && *reader->next >= '0' && *reader->next <= '9') {
        reader->next++;
    }
    return reader->next > first;
}

// Past a number, or as much of it as is one: what follows that is then out of place.
static bool skip_number(reader_t *reader) {
    const uint8_t *first = reader->next;
    reader->next += at(reader, '-');
    if (at(reader, '0')) {
        reader->next++;
    } else if (!skip_digits(reader)) {
        return wrong(reader, VALUE, first);
    }
    const uint8_t *whole = reader->next;
    if (at(reader, '.')) {
        reader->next++;
        whole = reader->next = skip_digits(reader) ? reader->next : whole;
    }
    if (at(reader, 'e') || at(reader, 'E')) {
        reader->next++;
        reader->next += at(reader, '+') || at(reader, '-');
        reader->next = skip_digits(reader) ? reader->next : whole;
    }
    return true;
}

static bool skip_scalar(reader_t *reader) {
    const uint8_t *first = reader->next;
    if (at(reader, '"')) {
        return skip_string(reader);
    }
    if (skip_word(reader, "null") || skip_word(reader, "true") || skip_word(reader, "false")) {
        return true;
    }
    if (skip_word(reader, "NaN") || skip_word(reader, "Infinity") || skip_word(reader, "-Infinity")) {
        return wrong(reader, "NaN and Infinity are not JSON", first);
    }
    return skip_number(reader);
}

static bool skip_name(reader_t *reader) {
    if (!at(reader, '"')) {
        return wrong(reader, "Expecting property name enclosed in double quotes", reader->next);
    }
    if (!skip_string(reader)) {
        return false;
    }
    skip_space(reader);
    if (!at(reader, ':')) {
        return wrong(reader, "Expecting ':' delimiter", reader->next);
    }
    reader->next++;
    skip_space(reader);
    return true;
}

// Past what stands between a value and the next one. `open` holds what closes each container; an empty one leaves all.
static bool skip_to_next(reader_t *reader, const uint8_t *open, size_t *depth) {
    for (skip_space(reader); *depth > 0 && at(reader, open[*depth - 1]); skip_space(reader)) {
        reader->next++;
        --*depth;
    }
    if (*depth == 0) {
        return reader->next == reader->end || wrong(reader, "Extra data", reader->next);
    }
    const uint8_t *comma = reader->next;
    if (!at(reader, ',')) {
        return wrong(reader, "Expecting ',' delimiter", comma);
    }
    reader->next++;
    skip_space(reader);
    bool object = open[*depth - 1] == '}';
    if (at(reader, open[*depth - 1])) {
        return wrong(reader, object ? "Illegal trailing comma before end of object" : "Illegal trailing comma before end of array", comma);
    }
    return !object || skip_name(reader);
}

static void read_all(reader_t *reader) {
    uint8_t open[MAX_DEPTH];
    size_t depth = 0;
    skip_space(reader);
    do {
        if (depth < MAX_DEPTH && (at(reader, '[') || at(reader, '{'))) {
            bool object = *reader->next++ == '{';
            open[depth++] = object ? '}' : ']';
            skip_space(reader);
            if (!at(reader, open[depth - 1])) {
                if (object && !skip_name(reader)) {
                    return;
                }
                continue;
            }
        } else if (!skip_scalar(reader)) {
            return;
        }
        if (!skip_to_next(reader, open, &depth)) {
            return;
        }
    } while (depth > 0);
}

fault_t first_fault(const text_t *text) {
    reader_t reader = {.next = text->ptr, .end = text->ptr + text->len};
    if (skip_word(&reader, "\xEF\xBB\xBF")) {
        return (fault_t){KIND(SYNTAX), "Unexpected UTF-8 BOM (decode using utf-8-sig)", text->ptr};
    }
    read_all(&reader);
    return reader.syntax.message != NULL ? reader.syntax : reader.surrogate;
}
