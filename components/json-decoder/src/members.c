// Objects whose text repeats a name. The parser keeps every member; here the last value counts, at the place of the first.

#include "decoder.h"

#include <stdlib.h>
#include <string.h>

enum { FEW = 16 }; // names that are compared each with each, which is quicker than to sort them

typedef struct {
    const text_t *name;
    size_t index;
} place_t;

static bool same(const text_t *one, const text_t *other) {
    return one->len == other->len && memcmp(one->ptr, other->ptr, one->len) == 0;
}

// By name, and by place where names are equal. No hash: whoever writes the text knows every hash of a guest without randomness.
static int in_order(const void *left, const void *right) {
    const place_t *one = left, *other = right;
    size_t shorter = one->name->len < other->name->len ? one->name->len : other->name->len;
    int found = memcmp(one->name->ptr, other->name->ptr, shorter);
    if (found == 0 && one->name->len != other->name->len) {
        found = one->name->len < other->name->len ? -1 : 1;
    }
    return found != 0 ? found : one->index < other->index ? -1 : 1;
}

static place_t *sorted(const member_t *members, size_t count) {
    place_t *places = memory(count, sizeof *places);
    for (size_t index = 0; index < count; index++) {
        places[index] = (place_t){&members[index].name, index};
    }
    qsort(places, count, sizeof *places, in_order);
    return places;
}

bool any_repeated(const member_t *members, size_t count) {
    bool found = false;
    if (count <= FEW) {
        for (size_t index = 1; index < count && !found; index++) {
            for (size_t before = 0; before < index && !found; before++) {
                found = same(&members[before].name, &members[index].name);
            }
        }
        return found;
    }
    place_t *places = sorted(members, count);
    for (size_t index = 1; index < count && !found; index++) {
        found = same(places[index - 1].name, places[index].name);
    }
    free(places);
    return found;
}

size_t unite(member_t *members, yyjson_val **values, size_t count) {
    place_t *places = sorted(members, count);
    for (size_t index = 0, first = 0; index < count; index++) {
        if (index == first) {
            continue;
        }
        if (!same(places[first].name, places[index].name)) {
            first = index;
            continue;
        }
        values[places[first].index] = values[places[index].index];
        values[places[index].index] = NULL;
    }
    free(places);
    size_t kept = 0;
    for (size_t index = 0; index < count; index++) {
        if (values[index] != NULL) {
            members[kept] = members[index];
            values[kept++] = values[index];
        }
    }
    return kept;
}
