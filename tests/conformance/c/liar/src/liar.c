// Answers that no value of their type is. In C nothing has to be forced for it.

#include "liar.h"

#include <stdlib.h>
#include <string.h>

#define LIES(name) exports_test_lies_lies_##name

static void text(liar_string_t *ret, const char *bytes) { liar_string_dup(ret, bytes); }

void LIES(truth)(liar_string_t *ret) { text(ret, "true"); }

void LIES(half_a_character)(liar_string_t *ret) { text(ret, "a\xed\xa0\x80"); }

void LIES(no_text)(liar_string_t *ret) { text(ret, "\xff\xfe"); }

void LIES(half_inside)(liar_list_option_string_t *ret) {
    *ret = (liar_list_option_string_t){calloc(3, sizeof *ret->ptr), 3};
    if (ret->ptr == NULL) {
        abort();
    }
    for (int place = 0; place < 3; place++) {
        ret->ptr[place].is_some = place > 0;
        text(&ret->ptr[place].val, place == 2 ? "\xed\xbf\xbf" : "good");
    }
}

uint32_t LIES(surrogate)(void) { return 0xd800; }

uint32_t LIES(beyond_unicode)(void) { return 0x110000; }

exports_test_lies_lies_direction_t LIES(no_label)(void) { return 4; }

exports_test_lies_lies_many_t LIES(no_label_of_many)(void) { return 300; }

void LIES(no_case)(exports_test_lies_lies_payload_t *ret) {
    memset(ret, 0, sizeof *ret);
    ret->tag = 16;
}

exports_test_lies_lies_nine_t LIES(more_flags)(void) { return 0xffff; }

// The compiler may not know it, or it would do as it likes with what it takes for impossible.
static int32_t unknown(int32_t value) {
    volatile int32_t kept = value;
    return kept;
}

uint8_t LIES(too_large)(void) { return (uint8_t)unknown(300); }

int8_t LIES(too_small)(void) { return (int8_t)unknown(-300); }

bool LIES(strange_bool)(void) {
    bool truth;
    uint8_t bits = (uint8_t)unknown(2);
    memcpy(&truth, &bits, 1);
    return truth;
}

void LIES(long_list)(liar_list_u64_t *ret) { *ret = (liar_list_u64_t){(uint64_t *)8, 0x1fffffff}; }

void LIES(much)(uint32_t bytes, liar_list_u8_t *ret) {
    *ret = (liar_list_u8_t){malloc(bytes + 1), bytes};
    if (ret->ptr == NULL) {
        abort();
    }
    memset(ret->ptr, 7, bytes);
}

void LIES(many_lists)(uint32_t count, liar_list_list_u8_t *ret) {
    *ret = (liar_list_list_u8_t){calloc(count + 1, sizeof *ret->ptr), count};
    if (ret->ptr == NULL) {
        abort();
    }
    for (uint32_t place = 0; place < count; place++) {
        LIES(much)(place % 3, &ret->ptr[place]);
    }
}

uint32_t LIES(length)(liar_list_list_u8_t *x) {
    uint32_t length = 0;
    for (size_t place = 0; place < x->len; place++) {
        length += (uint32_t)x->ptr[place].len;
    }
    liar_list_list_u8_free(x);
    return length;
}

uint32_t LIES(deep)(uint32_t times) {
    volatile char here[64];
    here[times % 64] = 1;
    return times == 0 ? 0 : LIES(deep)(times - 1) + (uint32_t)here[times % 64];
}
