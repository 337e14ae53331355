// Asks another node, and gives back what that says. What is given to another is only lent, so what came in is freed here.

#include "relay.h"

#include <stdlib.h>

#define ASK(name) test_types_echoes_##name
#define ECHOES(name) exports_test_types_echoes_##name
#define NAMED(type) exports_test_types_echoes_##type##_t
#define NAMED_FREE(type) exports_test_types_echoes_##type##_free
#define BUILT_IN(type) relay_##type##_t
#define BUILT_IN_FREE(type) relay_##type##_free

// Where a type without a name is imported and exported, the bindings have two types of one layout: hence (void *).
#define BY_VALUE(type, name) \
    type ECHOES(name)(type x) { return ASK(name)(x); }
#define FLAT_BY_PLACE(type, name) \
    void ECHOES(name)(type * x, type * ret) { ASK(name)((void *)x, (void *)ret); }
#define BY_PLACE(where, type, name) \
    void ECHOES(name)(where(type) * x, where(type) * ret) { \
        ASK(name)((void *)x, (void *)ret); \
        where##_FREE(type)(x); \
    }
#define FLAT_AS_OPTION(type, name) \
    bool ECHOES(name)(type * maybe_x, type * ret) { return ASK(name)((void *)maybe_x, (void *)ret); }
#define AS_OPTION(where, type, name) \
    bool ECHOES(name)(where(type) * maybe_x, where(type) * ret) { \
        bool found = ASK(name)((void *)maybe_x, (void *)ret); \
        if (maybe_x != NULL) { \
            where##_FREE(type)(maybe_x); \
        } \
        return found; \
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
BY_PLACE(BUILT_IN, string, echo_string)

BY_PLACE(BUILT_IN, list_bool, echo_bools)
BY_PLACE(BUILT_IN, list_s8, echo_s8s)
BY_PLACE(BUILT_IN, list_u8, echo_bytes)
BY_PLACE(BUILT_IN, list_s16, echo_s16s)
BY_PLACE(BUILT_IN, list_u16, echo_u16s)
BY_PLACE(BUILT_IN, list_s32, echo_s32s)
BY_PLACE(BUILT_IN, list_u32, echo_u32s)
BY_PLACE(BUILT_IN, list_s64, echo_s64s)
BY_PLACE(BUILT_IN, list_u64, echo_u64s)
BY_PLACE(BUILT_IN, list_f32, echo_f32s)
BY_PLACE(BUILT_IN, list_f64, echo_f64s)
BY_PLACE(BUILT_IN, list_char32, echo_chars)
BY_PLACE(BUILT_IN, list_string, echo_strings)
BY_PLACE(BUILT_IN, list_list_u8, echo_bytes_list)
BY_PLACE(BUILT_IN, list_list_list_list_string, echo_deep_list)
BY_PLACE(NAMED, list_point, echo_points)
BY_PLACE(NAMED, list_gaps, echo_gaps_list)
BY_PLACE(NAMED, list_payload, echo_payloads)
BY_PLACE(NAMED, list_direction, echo_directions)
BY_PLACE(NAMED, list_many, echo_many_list)
BY_PLACE(NAMED, list_nine, echo_nines)
BY_PLACE(BUILT_IN, list_option_string, echo_options)
BY_PLACE(NAMED, list_result_u64_string, echo_results)
BY_PLACE(BUILT_IN, list_tuple2_string_u8, echo_pairs)

FLAT_BY_PLACE(BUILT_IN(tuple1_u8), echo_tuple_of_one)
BY_PLACE(BUILT_IN, tuple4_u8_u64_string_f32, echo_tuple)
FLAT_BY_PLACE(BUILT_IN(tuple2_tuple1_tuple1_tuple1_char32_bool), echo_deep_tuple)
BY_PLACE(NAMED, tuple20_u8_u16_u32_u64_s8_s16_s32_s64_f32_f64_bool_char32_string_u8_u16_u32_u64_string_list_u8_point, echo_wide_tuple)

FLAT_BY_PLACE(NAMED(point), echo_point)
FLAT_BY_PLACE(NAMED(gaps), echo_gaps)
BY_PLACE(NAMED, words, echo_words)
BY_PLACE(NAMED, line, echo_line)
BY_PLACE(NAMED, drawing, echo_drawing)

BY_PLACE(NAMED, payload, echo_payload)
BY_PLACE(NAMED, single, echo_single)
BY_PLACE(NAMED, crowd, echo_crowd)
BY_PLACE(NAMED, wordy, echo_wordy)

BY_VALUE(NAMED(one), echo_one)
BY_VALUE(NAMED(direction), echo_direction)
BY_VALUE(NAMED(many), echo_many)

BY_VALUE(NAMED(solo), echo_solo)
BY_VALUE(NAMED(eight), echo_eight)
BY_VALUE(NAMED(nine), echo_nine)
BY_VALUE(NAMED(seventeen), echo_seventeen)
BY_VALUE(NAMED(thirty_two), echo_thirty_two)

FLAT_AS_OPTION(uint32_t, echo_option)
AS_OPTION(BUILT_IN, string, echo_option_string)
AS_OPTION(BUILT_IN, list_u16, echo_option_list)
AS_OPTION(NAMED, line, echo_option_record)
AS_OPTION(BUILT_IN, option_u8, echo_option_option)
AS_OPTION(BUILT_IN, option_option_option_string, echo_deep_option)
BY_PLACE(BUILT_IN, tuple2_option_u64_option_bool, echo_option_tuple)

// Results: the value or the error lands where the caller wants it.

bool ECHOES(echo_result)(NAMED(result_u32_string) * x, uint32_t *ret, BUILT_IN(string) * err) {
    bool ok = ASK(echo_result)((void *)x, (void *)ret, (void *)err);
    NAMED_FREE(result_u32_string)(x);
    return ok;
}

bool ECHOES(echo_result_ok_only)(NAMED(result_string_void) * x, BUILT_IN(string) * ret) {
    bool ok = ASK(echo_result_ok_only)((void *)x, (void *)ret);
    NAMED_FREE(result_string_void)(x);
    return ok;
}

bool ECHOES(echo_result_err_only)(NAMED(result_void_payload) * x, NAMED(payload) * err) {
    bool ok = ASK(echo_result_err_only)((void *)x, (void *)err);
    NAMED_FREE(result_void_payload)(x);
    return ok;
}

bool ECHOES(echo_result_empty)(NAMED(result_void_void) * x) {
    bool ok = ASK(echo_result_empty)((void *)x);
    NAMED_FREE(result_void_void)(x);
    return ok;
}

bool ECHOES(echo_result_same)(NAMED(result_u8_u8) * x, uint8_t *ret, uint8_t * err) {
    bool ok = ASK(echo_result_same)((void *)x, (void *)ret, (void *)err);
    NAMED_FREE(result_u8_u8)(x);
    return ok;
}

bool ECHOES(echo_result_enum)(NAMED(result_line_direction) * x, NAMED(line) * ret, NAMED(direction) * err) {
    bool ok = ASK(echo_result_enum)((void *)x, (void *)ret, (void *)err);
    NAMED_FREE(result_line_direction)(x);
    return ok;
}

bool ECHOES(echo_result_result)(NAMED(result_result_u8_string_result_void_u64) * x, NAMED(result_u8_string) * ret,
                                NAMED(result_void_u64) * err) {
    bool ok = ASK(echo_result_result)((void *)x, (void *)ret, (void *)err);
    NAMED_FREE(result_result_u8_string_result_void_u64)(x);
    return ok;
}

BY_PLACE(NAMED, tuple4_result_u32_string_result_u8_void_result_void_u8_result_void_void, echo_inner_results)
BY_PLACE(NAMED, tuple1_result_result_result_string_void_u8_option_result_void_void, echo_deep_result)
AS_OPTION(NAMED, result_option_u8_string, echo_option_result)

void ECHOES(echo_17)(uint8_t a, int16_t b, uint32_t c, int64_t d, float e, double f, bool g, uint32_t h, uint64_t i, uint8_t j, uint8_t k,
                     uint8_t l, uint8_t m, uint8_t n, uint8_t o, uint8_t p, uint8_t q,
                     BUILT_IN(tuple17_u8_s16_u32_s64_f32_f64_bool_char32_u64_u8_u8_u8_u8_u8_u8_u8_u8) * ret) {
    ASK(echo_17)(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, ret);
}

void ECHOES(echo_16)(uint8_t a, int16_t b, uint32_t c, int64_t d, float e, double f, bool g, uint32_t h, uint64_t i, uint8_t j, uint8_t k,
                     uint8_t l, uint8_t m, uint8_t n, uint8_t o, uint8_t p,
                     BUILT_IN(tuple16_u8_s16_u32_s64_f32_f64_bool_char32_u64_u8_u8_u8_u8_u8_u8_u8) * ret) {
    ASK(echo_16)(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ret);
}

void ECHOES(echo_mixed)(
    BUILT_IN(string) * a, BUILT_IN(list_string) * b, BUILT_IN(string) * maybe_c, NAMED(payload) * d, NAMED(line) * e,
    NAMED(result_string_u8) * f, BUILT_IN(tuple2_u8_string) * g, NAMED(direction) h, NAMED(nine) i, BUILT_IN(list_u8) * j, NAMED(gaps) * k,
    NAMED(tuple11_string_list_string_option_string_payload_line_result_string_u8_tuple2_u8_string_direction_nine_list_u8_gaps) * ret) {
    ASK(echo_mixed)(a, b, maybe_c, d, e, (void *)f, g, h, i, j, k, (void *)ret);
    relay_string_free(a);
    relay_list_string_free(b);
    if (maybe_c != NULL) {
        relay_string_free(maybe_c);
    }
    NAMED_FREE(payload)(d);
    NAMED_FREE(line)(e);
    NAMED_FREE(result_string_u8)(f);
    relay_tuple2_u8_string_free(g);
    relay_list_u8_free(j);
}

void ECHOES(echo_named)(uint8_t fn, uint16_t type, BUILT_IN(string) * class_, uint32_t ret_, uint64_t err_,
                        BUILT_IN(tuple5_u8_u16_string_u32_u64) * ret) {
    ASK(echo_named)(fn, type, class_, ret_, err_, ret);
    relay_string_free(class_);
}

void ECHOES(nothing)(void) { ASK(nothing)(); }

void ECHOES(swallow)(BUILT_IN(string) * x) {
    ASK(swallow)(x);
    relay_string_free(x);
}

void ECHOES(counted)(BUILT_IN(tuple2_u32_u32) * ret) { ASK(counted)(ret); }

BY_VALUE(uint8_t, type)
BY_VALUE(uint8_t, class)
BY_VALUE(uint8_t, match)
BY_VALUE(uint8_t, return)
BY_VALUE(uint8_t, int)
BY_VALUE(uint8_t, lambda)

// What a value is to the other

uint32_t ECHOES(bits_of_f32)(float x) { return ASK(bits_of_f32)(x); }

uint64_t ECHOES(bits_of_f64)(double x) { return ASK(bits_of_f64)(x); }

BY_VALUE(uint32_t, code_of)

void ECHOES(bytes_of)(BUILT_IN(string) * x, BUILT_IN(list_u8) * ret) {
    ASK(bytes_of)(x, ret);
    relay_string_free(x);
}

void ECHOES(text_of)(BUILT_IN(list_u8) * x, BUILT_IN(string) * ret) {
    ASK(text_of)(x, ret);
    relay_list_u8_free(x);
}

uint32_t ECHOES(number_of)(NAMED(many) x) { return ASK(number_of)(x); }

uint32_t ECHOES(number_of_case)(NAMED(payload) * x) {
    uint32_t number = ASK(number_of_case)(x);
    ECHOES(payload_free)(x);
    return number;
}

void ECHOES(numbers_of_flags)(NAMED(thirty_two) x, BUILT_IN(list_u32) * ret) { ASK(numbers_of_flags)(x, ret); }

uint32_t ECHOES(depth_of)(BUILT_IN(option_option_option_string) * maybe_x) {
    uint32_t depth = ASK(depth_of)(maybe_x);
    if (maybe_x != NULL) {
        relay_option_option_option_string_free(maybe_x);
    }
    return depth;
}

int64_t ECHOES(sum_of)(BUILT_IN(list_s64) * x) {
    int64_t sum = ASK(sum_of)(x);
    relay_list_s64_free(x);
    return sum;
}

int64_t ECHOES(distance_of)(NAMED(line) * x) {
    int64_t distance = ASK(distance_of)(x);
    ECHOES(line_free)(x);
    return distance;
}

// Another node's things: what is owned is given away, what is borrowed must be dropped before the call returns.

#define THINGS(name) test_types_things_##name
#define PASSING(name) exports_test_types_passing_##name

typedef THINGS(own_thing_t) own_t;
typedef THINGS(borrow_thing_t) borrow_t;

own_t PASSING(new_thing)(BUILT_IN(string) * text) {
    own_t thing = THINGS(constructor_thing)(text);
    relay_string_free(text);
    return thing;
}

void PASSING(text)(borrow_t x, BUILT_IN(string) * ret) {
    THINGS(method_thing_text)(x, ret);
    THINGS(thing_drop_borrow)(x);
}

void PASSING(rename)(borrow_t x, BUILT_IN(string) * text, BUILT_IN(string) * ret) {
    THINGS(method_thing_rename)(x, text, ret);
    THINGS(thing_drop_borrow)(x);
    relay_string_free(text);
}

bool PASSING(same_as)(borrow_t x, borrow_t other) {
    bool same = THINGS(method_thing_same_as)(x, other);
    THINGS(thing_drop_borrow)(x);
    THINGS(thing_drop_borrow)(other);
    return same;
}

own_t PASSING(make)(BUILT_IN(string) * text) {
    own_t thing = THINGS(static_thing_make)(text);
    relay_string_free(text);
    return thing;
}

own_t PASSING(join)(own_t first, borrow_t second) {
    own_t joined = THINGS(static_thing_join)(first, second);
    THINGS(thing_drop_borrow)(second);
    return joined;
}

uint32_t PASSING(living)(void) { return THINGS(static_thing_living)(); }

void PASSING(briefly)(BUILT_IN(string) * text, BUILT_IN(string) * ret) {
    own_t thing = PASSING(new_thing)(text);
    THINGS(method_thing_text)(THINGS(borrow_thing)(thing), ret);
    THINGS(thing_drop_own)(thing);
}

void PASSING(lend_all)(BUILT_IN(list_string) * texts, BUILT_IN(list_string) * ret) {
    THINGS(list_own_thing_t) made;
    THINGS(make_many)(texts, &made);
    THINGS(list_borrow_thing_t) lent = {calloc(made.len + 1, sizeof *lent.ptr), made.len};
    if (lent.ptr == NULL) {
        abort();
    }
    for (size_t place = 0; place < made.len; place++) {
        lent.ptr[place] = THINGS(borrow_thing)(made.ptr[place]);
    }
    THINGS(look_at_all)(&lent, ret);
    free(lent.ptr);
    for (size_t place = 0; place < made.len; place++) {
        THINGS(thing_drop_own)(made.ptr[place]); // freeing the list drops nothing
    }
    THINGS(list_own_thing_free)(&made);
    relay_list_string_free(texts);
}

void PASSING(consume)(own_t x, BUILT_IN(string) * ret) { THINGS(consume)(x, ret); }

void PASSING(look)(borrow_t x, BUILT_IN(string) * ret) {
    THINGS(look)(x, ret);
    THINGS(thing_drop_borrow)(x);
}

bool PASSING(look_maybe)(borrow_t *maybe_x, BUILT_IN(string) * ret) {
    bool found = THINGS(look_maybe)(maybe_x, ret);
    if (maybe_x != NULL) {
        THINGS(thing_drop_borrow)(*maybe_x);
    }
    return found;
}

void PASSING(make_many)(BUILT_IN(list_string) * texts, PASSING(list_own_thing_t) * ret) {
    THINGS(make_many)(texts, (void *)ret);
    relay_list_string_free(texts);
}

own_t PASSING(echo_thing)(own_t x) { return THINGS(echo_thing)(x); }

void PASSING(echo_list)(PASSING(list_own_thing_t) * x, PASSING(list_own_thing_t) * ret) {
    THINGS(echo_list)((void *)x, (void *)ret);
    if (x->len > 0) {
        free(x->ptr); // not what is in it: that is another's now
    }
}

bool PASSING(echo_option)(own_t *maybe_x, own_t *ret) { return THINGS(echo_option)(maybe_x, ret); }

void PASSING(echo_tuple)(PASSING(tuple3_u8_own_thing_own_thing_t) * x, PASSING(tuple3_u8_own_thing_own_thing_t) * ret) {
    THINGS(echo_tuple)((void *)x, (void *)ret);
}

void PASSING(echo_holder)(PASSING(holder_t) * x, PASSING(holder_t) * ret) {
    THINGS(echo_holder)(x, ret);
    relay_string_free(&x->name);
}

void PASSING(echo_things)(PASSING(some_things_t) * x, PASSING(some_things_t) * ret) {
    THINGS(echo_things)(x, ret);
    if (x->tag == TEST_TYPES_THINGS_SOME_THINGS_SEVERAL && x->val.several.len > 0) {
        free(x->val.several.ptr);
    }
}

bool PASSING(echo_result)(PASSING(result_own_thing_string_t) * x, own_t *ret, BUILT_IN(string) * err) {
    bool ok = THINGS(echo_result)((void *)x, ret, err);
    if (x->is_err) {
        relay_string_free(&x->val.err);
    }
    return ok;
}

void PASSING(echo_spilled)(own_t a, BUILT_IN(string) * b, BUILT_IN(string) * c, BUILT_IN(string) * d, BUILT_IN(string) * e,
                           BUILT_IN(string) * f, BUILT_IN(string) * g, BUILT_IN(string) * h, own_t i,
                           PASSING(tuple3_own_thing_own_thing_string_t) * ret) {
    THINGS(echo_spilled)(a, b, c, d, e, f, g, h, i, (void *)ret);
    BUILT_IN(string) *texts[] = {b, c, d, e, f, g, h};
    for (int place = 0; place < 7; place++) {
        relay_string_free(texts[place]);
    }
}

void exports_test_types_passing_lists_look_at_all(exports_test_types_passing_lists_list_borrow_thing_t *x, BUILT_IN(list_string) * ret) {
    THINGS(look_at_all)((void *)x, ret);
    for (size_t place = 0; place < x->len; place++) {
        THINGS(thing_drop_borrow)(x->ptr[place]);
    }
    exports_test_types_passing_lists_list_borrow_thing_free(x);
}
