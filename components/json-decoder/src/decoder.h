// What the parts of the decoder say to each other: yyjson -> tree, and bounds and fault where a text is refused.

#ifndef DECODER_H
#define DECODER_H

#include "json_decoder.h"

#include <yyjson.h>

typedef json_decoder_string_t text_t;
typedef exports_ringfence_json_decoder_node_t node_t;
typedef exports_ringfence_json_decoder_member_t member_t;
typedef exports_ringfence_json_decoder_document_t document_t;
typedef exports_ringfence_json_decoder_error_kind_t kind_t;

#define KIND(name) EXPORTS_RINGFENCE_JSON_DECODER_ERROR_KIND_##name
#define NODE(name) EXPORTS_RINGFENCE_JSON_DECODER_NODE_##name

enum { MAX_CHARACTERS = 16 * 1024 * 1024, MAX_DEPTH = 512, MAX_VALUES = 1000000 };

// Why a text is refused, and the byte at which that stands. `message` is NULL where nothing is wrong.
typedef struct {
    kind_t kind;
    const char *message;
    const uint8_t *place;
} fault_t;

// Whether a text is too long, too deep, or may hold too many values.
fault_t beyond_bounds(const text_t *text);

// Whether a text is too long or may hold too many values, or might be: then `beyond_bounds` tells. Quick, and blind to depth.
bool may_be_too_large(const text_t *text);

// The first thing in a text within the bounds that makes it no JSON; if there is none, the first half of a surrogate pair.
fault_t first_fault(const text_t *text);

// Makes members of one name one, at the place of the first and with the value of the last. `values` go with them. How many remain.
size_t unite(member_t *members, yyjson_val **values, size_t count);

// Whether a name occurs twice.
bool any_repeated(const member_t *members, size_t count);

// The nodes of a parsed text. What it returns is one block of memory, which holds them and their lists; their strings stay in `parsed`.
// NULL where it is nested too deep. `all_seen` is false where values of repeated names were left out, which may be nested too deep, too.
void *flattened(yyjson_doc *parsed, document_t *document, bool *all_seen);

// Memory, or a trap where there is none left.
void *memory(size_t count, size_t size);

#endif
