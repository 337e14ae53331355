// What a text may hold at most, so that none makes a tree a hundred times its size. An ordinary one is not read for that.

#include "decoder.h"

static bool starts_character(uint8_t byte) { return (byte & 0xC0) != 0x80; }

// The end of the first MAX_CHARACTERS characters, or NULL where there are no more than that.
static const uint8_t *too_long(const text_t *text) {
    if (text->len <= MAX_CHARACTERS) {
        return NULL;
    }
    size_t characters = 0;
    for (size_t index = 0; index < text->len; index++) {
        if (starts_character(text->ptr[index]) && ++characters > MAX_CHARACTERS) {
            return text->ptr + index;
        }
    }
    return NULL;
}

// What comes after the string that opens at `next`; the end of the text where it is not closed.
static const uint8_t *past_string(const uint8_t *next, const uint8_t *end) {
    for (next++; next < end; next++) {
        if (*next == '"') {
            return next + 1;
        }
        if (*next == '\\' && next + 1 < end) {
            next++;
        }
    }
    return end;
}

// Where the brackets and commas outside strings pass a bound.
static fault_t counted(const text_t *text) {
    const uint8_t *next = text->ptr, *end = next + text->len;
    long depth = 0; // below zero where more is closed than was opened: there parsing ends
    size_t values = 1;
    while (next < end) {
        switch (*next) {
        case '"':
            next = past_string(next, end);
            continue;
        case ']':
        case '}':
            depth--;
            break;
        case '[':
        case '{':
            if (++depth > MAX_DEPTH) {
                return (fault_t){KIND(TOO_DEEP), "nested deeper than 512", next};
            }
            // fall through
        case ',':
            if (++values > MAX_VALUES) {
                return (fault_t){KIND(TOO_LARGE), "may hold more than 1000000 values", next};
            }
        }
        next++;
    }
    return (fault_t){0};
}

fault_t beyond_bounds(const text_t *text) {
    const uint8_t *place = too_long(text);
    return place != NULL ? (fault_t){KIND(TOO_LARGE), "longer than 16777216 characters", place} : counted(text);
}

// How many of the bytes are a comma or open a container. A byte a sum, so that sixteen are compared at once.
#ifdef __wasm__
__attribute__((__target__("simd128")))
#endif
static size_t marks(const uint8_t *bytes, size_t length) {
    size_t found = 0;
    for (size_t block = 0; block < length; block += 128) {
        uint8_t sum = 0;
        size_t rest = length - block < 128 ? length - block : 128;
        for (size_t index = 0; index < rest; index++) {
            uint8_t byte = bytes[block + index];
            sum += (byte == ',') + ((byte | 0x20) == '{'); // `{` or `[`
        }
        found += sum;
    }
    return found;
}

bool may_be_too_large(const text_t *text) {
    return text->len >= MAX_VALUES && (text->len > MAX_CHARACTERS || marks(text->ptr, text->len) >= MAX_VALUES);
}
