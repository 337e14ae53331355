// Texts as they cross: UTF-8, whatever SQLite holds.

#include "client.h"

#include <stdlib.h>
#include <string.h>

void *need(size_t size) {
    void *found = malloc(size ? size : 1);
    if (found == NULL) {
        abort();
    }
    return found;
}

// The length of the well-formed character at the start of a text (Unicode, table 3-7); 0 where there is none.
static size_t character(const uint8_t *text, size_t length) {
    uint8_t first = text[0];
    if (first < 0x80) {
        return 1;
    }
    size_t wanted = first >= 0xC2 && first <= 0xDF ? 2 : (first & 0xF0) == 0xE0 ? 3 : first >= 0xF0 && first <= 0xF4 ? 4 : 0;
    if (wanted == 0 || wanted > length) {
        return 0;
    }
    uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80, high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (text[1] < low || text[1] > high) {
        return 0;
    }
    for (size_t at = 2; at < wanted; at++) {
        if ((text[at] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return wanted;
}

// How many bytes at the start of a text are well-formed.
static size_t well_formed(const uint8_t *text, size_t length) {
    size_t at = 0;
    while (at < length) {
        uint64_t eight;
        while (at + 8 <= length && (memcpy(&eight, text + at, 8), (eight & 0x8080808080808080u) == 0)) {
            at += 8;
        }
        size_t step = at < length ? character(text + at, length - at) : 0;
        if (step == 0) {
            break;
        }
        at += step;
    }
    return at;
}

bool is_utf8(const uint8_t *text, size_t length) {
    return well_formed(text, length) == length;
}

void copy_text(string_t *out, const char *text, size_t length) {
    const uint8_t *from = (const uint8_t *)text;
    size_t good = well_formed(from, length);
    if (good == length) {
        sqlite_client_string_dup_n(out, text, length);
        return;
    }
    uint8_t *made = need(length * 3), *end = made;
    while (length > 0) {
        good = well_formed(from, length);
        memcpy(end, from, good);
        end += good, from += good, length -= good;
        if (length > 0) {
            memcpy(end, "\xEF\xBF\xBD", 3);
            end += 3, from += 1, length -= 1;
        }
    }
    out->ptr = made, out->len = (size_t)(end - made);
}

void take_text(string_t *out, const char *text) {
    copy_text(out, text ? text : "", text ? strlen(text) : 0);
}

bool is_blank(const char *sql) {
    while (*sql) {
        if (strchr(" \t\f\n\r", *sql)) {
            sql++;
        } else if (strncmp(sql, "--", 2) == 0) {
            sql += strcspn(sql, "\n");
        } else if (strncmp(sql, "/*", 2) == 0) {
            const char *end = strstr(sql + 2, "*/");
            if (end == NULL) {
                return true;
            }
            sql = end + 2;
        } else {
            return false;
        }
    }
    return true;
}
