// What new-thing does: the functions of each interface that its world exports. The build writes new_thing.h from the WIT.

#include "new_thing.h"

#include <stdlib.h>
#include <string.h>

static const char before[] = "Hello, ", after[] = "!";

// An argument is ours to free, a result is the caller's: both come from malloc.
void exports_example_new_thing_greetings_greet(new_thing_string_t *name, new_thing_string_t *ret) {
    const size_t head = sizeof before - 1, tail = sizeof after - 1;
    uint8_t *text = malloc(head + name->len + tail);
    if (text == NULL) {
        abort();
    }
    memcpy(text, before, head);
    memcpy(text + head, name->ptr, name->len);
    memcpy(text + head + name->len, after, tail);
    ret->ptr = text;
    ret->len = head + name->len + tail;
    new_thing_string_free(name);
}
