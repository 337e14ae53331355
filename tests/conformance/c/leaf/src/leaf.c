// Every type, given back: what came in is handed out again, to be freed by who gets it.

#include "leaf.h"

#include <stdlib.h>
#include <string.h>

#define ECHOES(name) exports_test_types_echoes_##name
#define THINGS(name) exports_test_types_things_##name
#define NAMED(type) exports_test_types_echoes_##type##_t
#define BUILT_IN(type) leaf_##type##_t

// Scalars come by value, all else in a place of its own; of an option comes the place of what is in it, or none.
#define BY_VALUE(type, name) \
    type ECHOES(name)(type x) { return x; }
#define BY_PLACE(type, name) \
    void ECHOES(name)(type * x, type * ret) { *ret = *x; }
#define AS_OPTION(type, name)                      \
    bool ECHOES(name)(type * maybe_x, type * ret) { \
        if (maybe_x != NULL) {                     \
            *ret = *maybe_x;                       \
        }                                          \
        return maybe_x != NULL;                    \
    }

BY_VALUE(bool, echo_bool)
BY_VALUE(int8_t, echo_s8)
BY_VALUE(uint8_t, echo_u8)
BY_VALUE(int16_t, echo_s16)
BY_VALUE(uint16_t, echo_u16)
BY_VALUE(int32_t, echo_s32)
BY_VALUE(uint32_t, echo_u32)
BY_VALUE(int64_t, echo_s64)
BY_VALUE(uint64_t, echo_u64)
BY_VALUE(float, echo_f32)
BY_VALUE(double, echo_f64)
BY_VALUE(uint32_t, echo_char)
BY_PLACE(BUILT_IN(string), echo_string)

BY_PLACE(BUILT_IN(list_bool), echo_bools)
BY_PLACE(BUILT_IN(list_s8), echo_s8s)
BY_PLACE(BUILT_IN(list_u8), echo_bytes)
BY_PLACE(BUILT_IN(list_s16), echo_s16s)
BY_PLACE(BUILT_IN(list_u16), echo_u16s)
BY_PLACE(BUILT_IN(list_s32), echo_s32s)
BY_PLACE(BUILT_IN(list_u32), echo_u32s)
BY_PLACE(BUILT_IN(list_s64), echo_s64s)
BY_PLACE(BUILT_IN(list_u64), echo_u64s)
BY_PLACE(BUILT_IN(list_f32), echo_f32s)
BY_PLACE(BUILT_IN(list_f64), echo_f64s)
BY_PLACE(BUILT_IN(list_char32), echo_chars)
BY_PLACE(BUILT_IN(list_string), echo_strings)
BY_PLACE(BUILT_IN(list_list_u8), echo_bytes_list)
BY_PLACE(BUILT_IN(list_list_list_list_string), echo_deep_list)
BY_PLACE(NAMED(list_point), echo_points)
BY_PLACE(NAMED(list_gaps), echo_gaps_list)
BY_PLACE(NAMED(list_payload), echo_payloads)
BY_PLACE(NAMED(list_direction), echo_directions)
BY_PLACE(NAMED(list_many), echo_many_list)
BY_PLACE(NAMED(list_nine), echo_nines)
BY_PLACE(BUILT_IN(list_option_string), echo_options)
BY_PLACE(NAMED(list_result_u64_string), echo_results)
BY_PLACE(BUILT_IN(list_tuple2_string_u8), echo_pairs)

BY_PLACE(BUILT_IN(tuple1_u8), echo_tuple_of_one)
BY_PLACE(BUILT_IN(tuple4_u8_u64_string_f32), echo_tuple)
BY_PLACE(BUILT_IN(tuple2_tuple1_tuple1_tuple1_char32_bool), echo_deep_tuple)
BY_PLACE(NAMED(tuple20_u8_u16_u32_u64_s8_s16_s32_s64_f32_f64_bool_char32_string_u8_u16_u32_u64_string_list_u8_point), echo_wide_tuple)

BY_PLACE(NAMED(point), echo_point)
BY_PLACE(NAMED(gaps), echo_gaps)
BY_PLACE(NAMED(words), echo_words)
BY_PLACE(NAMED(line), echo_line)
BY_PLACE(NAMED(drawing), echo_drawing)

BY_PLACE(NAMED(payload), echo_payload)
BY_PLACE(NAMED(single), echo_single)
BY_PLACE(NAMED(crowd), echo_crowd)
BY_PLACE(NAMED(wordy), echo_wordy)

BY_VALUE(NAMED(one), echo_one)
BY_VALUE(NAMED(direction), echo_direction)
BY_VALUE(NAMED(many), echo_many)

BY_VALUE(NAMED(solo), echo_solo)
BY_VALUE(NAMED(eight), echo_eight)
BY_VALUE(NAMED(nine), echo_nine)
BY_VALUE(NAMED(seventeen), echo_seventeen)
BY_VALUE(NAMED(thirty_two), echo_thirty_two)

AS_OPTION(uint32_t, echo_option)
AS_OPTION(BUILT_IN(string), echo_option_string)
AS_OPTION(BUILT_IN(list_u16), echo_option_list)
AS_OPTION(NAMED(line), echo_option_record)
AS_OPTION(BUILT_IN(option_u8), echo_option_option)
AS_OPTION(BUILT_IN(option_option_option_string), echo_deep_option)
BY_PLACE(BUILT_IN(tuple2_option_u64_option_bool), echo_option_tuple)

bool ECHOES(echo_result)(NAMED(result_u32_string) * x, uint32_t *ret, BUILT_IN(string) * err) {
    if (x->is_err) {
        *err = x->val.err;
    } else {
        *ret = x->val.ok;
    }
    return !x->is_err;
}

bool ECHOES(echo_result_ok_only)(NAMED(result_string_void) * x, BUILT_IN(string) * ret) {
    if (!x->is_err) {
        *ret = x->val.ok;
    }
    return !x->is_err;
}

bool ECHOES(echo_result_err_only)(NAMED(result_void_payload) * x, NAMED(payload) * err) {
    if (x->is_err) {
        *err = x->val.err;
    }
    return !x->is_err;
}

bool ECHOES(echo_result_empty)(NAMED(result_void_void) * x) { return !x->is_err; }

bool ECHOES(echo_result_same)(NAMED(result_u8_u8) * x, uint8_t *ret, uint8_t *err) {
    if (x->is_err) {
        *err = x->val.err;
    } else {
        *ret = x->val.ok;
    }
    return !x->is_err;
}

bool ECHOES(echo_result_enum)(NAMED(result_line_direction) * x, NAMED(line) * ret, NAMED(direction) * err) {
    if (x->is_err) {
        *err = x->val.err;
    } else {
        *ret = x->val.ok;
    }
    return !x->is_err;
}

bool ECHOES(echo_result_result)(NAMED(result_result_u8_string_result_void_u64) * x, test_types_shapes_result_u8_string_t *ret,
                                NAMED(result_void_u64) * err) {
    if (x->is_err) {
        *err = x->val.err;
    } else {
        *ret = x->val.ok;
    }
    return !x->is_err;
}

BY_PLACE(NAMED(tuple4_result_u32_string_result_u8_void_result_void_u8_result_void_void), echo_inner_results)
BY_PLACE(NAMED(tuple1_result_result_result_string_void_u8_option_result_void_void), echo_deep_result)
AS_OPTION(NAMED(result_option_u8_string), echo_option_result)

void ECHOES(echo_17)(uint8_t a, int16_t b, uint32_t c, int64_t d, float e, double f, bool g, uint32_t h, uint64_t i, uint8_t j, uint8_t k,
                     uint8_t l, uint8_t m, uint8_t n, uint8_t o, uint8_t p, uint8_t q,
                     BUILT_IN(tuple17_u8_s16_u32_s64_f32_f64_bool_char32_u64_u8_u8_u8_u8_u8_u8_u8_u8) * ret) {
    *ret = (BUILT_IN(tuple17_u8_s16_u32_s64_f32_f64_bool_char32_u64_u8_u8_u8_u8_u8_u8_u8_u8)){a, b, c, d, e, f, g, h, i,
                                                                                               j, k, l, m, n, o, p, q};
}

void ECHOES(echo_16)(uint8_t a, int16_t b, uint32_t c, int64_t d, float e, double f, bool g, uint32_t h, uint64_t i, uint8_t j, uint8_t k,
                     uint8_t l, uint8_t m, uint8_t n, uint8_t o, uint8_t p,
                     BUILT_IN(tuple16_u8_s16_u32_s64_f32_f64_bool_char32_u64_u8_u8_u8_u8_u8_u8_u8) * ret) {
    *ret = (BUILT_IN(tuple16_u8_s16_u32_s64_f32_f64_bool_char32_u64_u8_u8_u8_u8_u8_u8_u8)){a, b, c, d, e, f, g, h,
                                                                                            i, j, k, l, m, n, o, p};
}

void ECHOES(echo_mixed)(
    BUILT_IN(string) * a, BUILT_IN(list_string) * b, BUILT_IN(string) * maybe_c, NAMED(payload) * d, NAMED(line) * e,
    NAMED(result_string_u8) * f, BUILT_IN(tuple2_u8_string) * g, NAMED(direction) h, NAMED(nine) i, BUILT_IN(list_u8) * j, NAMED(gaps) * k,
    NAMED(tuple11_string_list_string_option_string_payload_line_result_string_u8_tuple2_u8_string_direction_nine_list_u8_gaps) * ret) {
    ret->f0 = *a;
    ret->f1 = *b;
    ret->f2.is_some = maybe_c != NULL;
    if (maybe_c != NULL) {
        ret->f2.val = *maybe_c;
    }
    ret->f3 = *d;
    ret->f4 = *e;
    ret->f5 = *f;
    ret->f6 = *g;
    ret->f7 = h;
    ret->f8 = i;
    ret->f9 = *j;
    ret->f10 = *k;
}

void ECHOES(echo_named)(uint8_t fn, uint16_t type, BUILT_IN(string) * class_, uint32_t ret_, uint64_t err_,
                        BUILT_IN(tuple5_u8_u16_string_u32_u64) * ret) {
    *ret = (BUILT_IN(tuple5_u8_u16_string_u32_u64)){fn, type, *class_, ret_, err_};
}

static uint32_t nothings, swallowed;

void ECHOES(nothing)(void) { nothings++; }

void ECHOES(swallow)(BUILT_IN(string) * x) {
    swallowed = (uint32_t)x->len;
    leaf_string_free(x);
}

void ECHOES(counted)(BUILT_IN(tuple2_u32_u32) * ret) { *ret = (BUILT_IN(tuple2_u32_u32)){nothings, swallowed}; }

BY_VALUE(uint8_t, type)
BY_VALUE(uint8_t, class)
BY_VALUE(uint8_t, match)
BY_VALUE(uint8_t, return)
BY_VALUE(uint8_t, int)
BY_VALUE(uint8_t, lambda)

// What a value is here

uint32_t ECHOES(bits_of_f32)(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

uint64_t ECHOES(bits_of_f64)(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

uint32_t ECHOES(code_of)(uint32_t x) { return x; }

void ECHOES(bytes_of)(BUILT_IN(string) * x, BUILT_IN(list_u8) * ret) { *ret = (BUILT_IN(list_u8)){x->ptr, x->len}; }

void ECHOES(text_of)(BUILT_IN(list_u8) * x, BUILT_IN(string) * ret) { *ret = (BUILT_IN(string)){x->ptr, x->len}; }

uint32_t ECHOES(number_of)(NAMED(many) x) { return x; }

uint32_t ECHOES(number_of_case)(NAMED(payload) * x) {
    uint32_t number = x->tag;
    ECHOES(payload_free)(x);
    return number;
}

void ECHOES(numbers_of_flags)(NAMED(thirty_two) x, BUILT_IN(list_u32) * ret) {
    *ret = (BUILT_IN(list_u32)){malloc(32 * sizeof(uint32_t)), 0};
    if (ret->ptr == NULL) {
        abort();
    }
    for (uint32_t bit = 0; bit < 32; bit++) {
        if (x >> bit & 1) {
            ret->ptr[ret->len++] = bit;
        }
    }
}

uint32_t ECHOES(depth_of)(BUILT_IN(option_option_option_string) * maybe_x) {
    if (maybe_x == NULL) {
        return 0;
    }
    uint32_t depth = !maybe_x->is_some ? 1 : !maybe_x->val.is_some ? 2 : !maybe_x->val.val.is_some ? 3 : 4;
    leaf_option_option_option_string_free(maybe_x);
    return depth;
}

int64_t ECHOES(sum_of)(BUILT_IN(list_s64) * x) {
    uint64_t sum = 0;
    for (size_t place = 0; place < x->len; place++) {
        sum += (uint64_t)x->ptr[place];
    }
    leaf_list_s64_free(x);
    return (int64_t)sum;
}

int64_t ECHOES(distance_of)(NAMED(line) * x) {
    int64_t distance = llabs((int64_t)x->to.x - x->from.x) + llabs((int64_t)x->to.y - x->from.y);
    ECHOES(line_free)(x);
    return distance;
}

// Things

typedef THINGS(own_thing_t) own_t;
typedef THINGS(borrow_thing_t) borrow_t;

struct exports_test_types_things_thing_t {
    BUILT_IN(string) text;
};

static uint32_t living;

static own_t made(BUILT_IN(string) text) {
    THINGS(thing_t) *thing = malloc(sizeof *thing);
    if (thing == NULL) {
        abort();
    }
    thing->text = text;
    living++;
    return THINGS(thing_new)(thing);
}

static void copied(borrow_t thing, BUILT_IN(string) * ret) { leaf_string_dup_n(ret, (const char *)thing->text.ptr, thing->text.len); }

void THINGS(thing_destructor)(THINGS(thing_t) * thing) {
    leaf_string_free(&thing->text);
    free(thing);
    living--;
}

own_t THINGS(constructor_thing)(BUILT_IN(string) * text) { return made(*text); }

void THINGS(method_thing_text)(borrow_t self, BUILT_IN(string) * ret) { copied(self, ret); }

void THINGS(method_thing_rename)(borrow_t self, BUILT_IN(string) * text, BUILT_IN(string) * ret) {
    *ret = self->text;
    self->text = *text;
}

bool THINGS(method_thing_same_as)(borrow_t self, borrow_t other) { return self == other; }

own_t THINGS(static_thing_make)(BUILT_IN(string) * text) { return made(*text); }

own_t THINGS(static_thing_join)(own_t first, borrow_t second) {
    THINGS(thing_t) *one = THINGS(thing_rep)(first);
    size_t length = one->text.len + second->text.len;
    BUILT_IN(string) joined = {malloc(length + 1), length};
    if (joined.ptr == NULL) {
        abort();
    }
    memcpy(joined.ptr, one->text.ptr, one->text.len);
    memcpy(joined.ptr + one->text.len, second->text.ptr, second->text.len);
    THINGS(thing_drop_own)(first);
    return made(joined);
}

uint32_t THINGS(static_thing_living)(void) { return living; }

void THINGS(consume)(own_t x, BUILT_IN(string) * ret) {
    copied(THINGS(thing_rep)(x), ret);
    THINGS(thing_drop_own)(x);
}

void THINGS(look)(borrow_t x, BUILT_IN(string) * ret) { copied(x, ret); }

void THINGS(look_at_all)(THINGS(list_borrow_thing_t) * x, BUILT_IN(list_string) * ret) {
    *ret = (BUILT_IN(list_string)){calloc(x->len + 1, sizeof *ret->ptr), x->len};
    if (ret->ptr == NULL) {
        abort();
    }
    for (size_t place = 0; place < x->len; place++) {
        copied(x->ptr[place], &ret->ptr[place]);
    }
    THINGS(list_borrow_thing_free)(x);
}

bool THINGS(look_maybe)(borrow_t *maybe_x, BUILT_IN(string) * ret) {
    if (maybe_x != NULL) {
        copied(*maybe_x, ret);
    }
    return maybe_x != NULL;
}

void THINGS(make_many)(BUILT_IN(list_string) * texts, THINGS(list_own_thing_t) * ret) {
    *ret = (THINGS(list_own_thing_t)){calloc(texts->len + 1, sizeof *ret->ptr), texts->len};
    if (ret->ptr == NULL) {
        abort();
    }
    for (size_t place = 0; place < texts->len; place++) {
        ret->ptr[place] = made(texts->ptr[place]);
    }
    if (texts->len > 0) {
        free(texts->ptr); // the texts themselves are the things' now
    }
}

own_t THINGS(echo_thing)(own_t x) { return x; }

void THINGS(echo_list)(THINGS(list_own_thing_t) * x, THINGS(list_own_thing_t) * ret) { *ret = *x; }

bool THINGS(echo_option)(own_t *maybe_x, own_t *ret) {
    if (maybe_x != NULL) {
        *ret = *maybe_x;
    }
    return maybe_x != NULL;
}

void THINGS(echo_tuple)(THINGS(tuple3_u8_own_thing_own_thing_t) * x, THINGS(tuple3_u8_own_thing_own_thing_t) * ret) { *ret = *x; }

void THINGS(echo_holder)(THINGS(holder_t) * x, THINGS(holder_t) * ret) { *ret = *x; }

void THINGS(echo_things)(THINGS(some_things_t) * x, THINGS(some_things_t) * ret) { *ret = *x; }

bool THINGS(echo_result)(THINGS(result_own_thing_string_t) * x, own_t *ret, BUILT_IN(string) * err) {
    if (x->is_err) {
        *err = x->val.err;
    } else {
        *ret = x->val.ok;
    }
    return !x->is_err;
}

void THINGS(echo_spilled)(own_t a, BUILT_IN(string) * b, BUILT_IN(string) * c, BUILT_IN(string) * d, BUILT_IN(string) * e,
                          BUILT_IN(string) * f, BUILT_IN(string) * g, BUILT_IN(string) * h, own_t i,
                          THINGS(tuple3_own_thing_own_thing_string_t) * ret) {
    BUILT_IN(string) *texts[] = {b, c, d, e, f, g, h};
    size_t length = 0;
    for (int place = 0; place < 7; place++) {
        length += texts[place]->len;
    }
    BUILT_IN(string) joined = {malloc(length + 1), 0};
    if (joined.ptr == NULL) {
        abort();
    }
    for (int place = 0; place < 7; place++) {
        memcpy(joined.ptr + joined.len, texts[place]->ptr, texts[place]->len);
        joined.len += texts[place]->len;
        leaf_string_free(texts[place]);
    }
    *ret = (THINGS(tuple3_own_thing_own_thing_string_t)){a, i, joined};
}
