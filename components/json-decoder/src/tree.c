// A document of yyjson's as the flat list of nodes that `wit/json` describes: in pre-order, without recursion.

#include "decoder.h"

#include <stdlib.h>
#include <string.h>

// A container whose children are being placed, each in turn.
typedef struct {
    yyjson_val *next;    // the child that comes next, where `values` is NULL
    yyjson_val **values; // the children, where they are not as they stand in the text: names were repeated
    uint32_t *ids;       // the places of an array's children
    member_t *members;   // an object's
    size_t count, placed;
} frame_t;

typedef struct {
    node_t *nodes;
    uint8_t *lists; // where the next list goes
    size_t placed;
    frame_t frames[MAX_DEPTH];
    size_t depth;
    bool repeated; // a name is: values were left out, which nobody looked into
} tree_t;

static text_t string_of(const char *bytes, size_t length) { return (text_t){(uint8_t *)bytes, length}; }

// A number's literal as an integer that fits, one that does not, or a float.
static void place_number(node_t *node, yyjson_val *literal) {
    const char *digits = unsafe_yyjson_get_raw(literal);
    size_t length = unsafe_yyjson_get_len(literal);
    yyjson_val number;
    bool infinite = yyjson_read_number(digits, &number, YYJSON_READ_BIGNUM_AS_RAW, NULL, NULL) == NULL || yyjson_is_raw(&number);
    bool whole = memchr(digits, '.', length) == NULL && memchr(digits, 'e', length) == NULL && memchr(digits, 'E', length) == NULL;
    if (!whole) {
        double value = infinite ? *digits == '-' ? -__builtin_inf() : __builtin_inf() : yyjson_get_real(&number);
        node->tag = NODE(FLOAT);
        node->val.float_ = (exports_ringfence_json_decoder_float_t){value, string_of(digits, length)};
    } else if (yyjson_is_sint(&number) || (yyjson_is_uint(&number) && yyjson_get_uint(&number) <= INT64_MAX)) {
        node->tag = NODE(INTEGER);
        node->val.integer = yyjson_get_sint(&number);
    } else if (yyjson_is_real(&number) && yyjson_get_real(&number) == 0) { // `-0`
        node->tag = NODE(INTEGER);
        node->val.integer = 0;
    } else {
        node->tag = NODE(BIG_INTEGER);
        node->val.big_integer = string_of(digits, length);
    }
}

// Room for a list. There is enough in all: each value of the text has at most one place in a list, and there is a member's size for each.
static void *list(tree_t *tree, size_t count, size_t size) {
    void *place = tree->lists;
    tree->lists += (count * size + _Alignof(member_t) - 1) / _Alignof(member_t) * _Alignof(member_t);
    return place;
}

static frame_t *opened(tree_t *tree, yyjson_val *container) {
    frame_t *frame = &tree->frames[tree->depth++];
    *frame = (frame_t){.next = unsafe_yyjson_get_first(container), .count = unsafe_yyjson_get_len(container)};
    return frame;
}

static void place_array(tree_t *tree, node_t *node, yyjson_val *array) {
    frame_t *frame = opened(tree, array);
    frame->ids = list(tree, frame->count, sizeof *frame->ids);
    node->tag = NODE(ARRAY);
    node->val.array = (exports_ringfence_json_decoder_list_node_id_t){frame->ids, frame->count};
}

static void name_members(frame_t *frame, yyjson_val *object) {
    yyjson_val *name = unsafe_yyjson_get_first(object);
    for (size_t index = 0; index < frame->count; index++, name = unsafe_yyjson_get_next(name + 1)) {
        frame->members[index].name = string_of(unsafe_yyjson_get_str(name), unsafe_yyjson_get_len(name));
        if (frame->values != NULL) {
            frame->values[index] = name + 1;
        }
    }
}

static void place_object(tree_t *tree, node_t *node, yyjson_val *object) {
    frame_t *frame = opened(tree, object);
    size_t written = frame->count;
    frame->members = list(tree, written, sizeof *frame->members);
    name_members(frame, object);
    if (any_repeated(frame->members, written)) {
        tree->repeated = true;
        frame->values = memory(written, sizeof *frame->values);
        name_members(frame, object);
        frame->count = unite(frame->members, frame->values, written);
    }
    node->tag = NODE(OBJECT);
    node->val.object = (exports_ringfence_json_decoder_list_member_t){frame->members, frame->count};
}

static void place(tree_t *tree, yyjson_val *value) {
    node_t *node = &tree->nodes[tree->placed++];
    switch (unsafe_yyjson_get_type(value)) {
    case YYJSON_TYPE_NULL:
        node->tag = NODE(NULL);
        break;
    case YYJSON_TYPE_BOOL:
        node->tag = NODE(BOOLEAN);
        node->val.boolean = unsafe_yyjson_get_bool(value);
        break;
    case YYJSON_TYPE_RAW:
        place_number(node, value);
        break;
    case YYJSON_TYPE_STR:
        node->tag = NODE(TEXT);
        node->val.text = string_of(unsafe_yyjson_get_str(value), unsafe_yyjson_get_len(value));
        break;
    case YYJSON_TYPE_ARR:
        place_array(tree, node, value);
        break;
    case YYJSON_TYPE_OBJ:
        place_object(tree, node, value);
        break;
    default:
        abort();
    }
}

// The next child of a container, whose place it notes.
static yyjson_val *next_child(frame_t *frame, size_t id) {
    size_t index = frame->placed++;
    if (frame->ids != NULL) {
        frame->ids[index] = id;
    } else {
        frame->members[index].value = id;
    }
    if (frame->values != NULL) {
        return frame->values[index];
    }
    yyjson_val *child = frame->ids != NULL ? frame->next : frame->next + 1; // behind its name
    frame->next = unsafe_yyjson_get_next(child);
    return child;
}

// Frees what was begun.
static void *dropped(tree_t *tree, void *block) {
    while (tree->depth > 0) {
        free(tree->frames[--tree->depth].values);
    }
    free(block);
    return NULL;
}

void *flattened(yyjson_doc *parsed, document_t *document, bool *all_seen) {
    static tree_t tree; // too large for a stack
    size_t values = yyjson_doc_get_val_count(parsed); // names included
    uint8_t *block = memory(values, sizeof(node_t) + sizeof(member_t));
    tree.nodes = (node_t *)block;
    tree.lists = block + values * sizeof(node_t);
    tree.placed = tree.depth = tree.repeated = 0;
    place(&tree, yyjson_doc_get_root(parsed));
    while (tree.depth > 0) {
        frame_t *frame = &tree.frames[tree.depth - 1];
        if (frame->placed < frame->count) {
            yyjson_val *child = next_child(frame, tree.placed);
            if (tree.depth == MAX_DEPTH && unsafe_yyjson_is_ctn(child)) {
                return dropped(&tree, block);
            }
            place(&tree, child);
            continue;
        }
        free(frame->values);
        tree.depth--;
    }
    *all_seen = !tree.repeated;
    *document = (document_t){.root = 0, .nodes = {tree.nodes, tree.placed}};
    return block;
}
