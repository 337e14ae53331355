// What new-thing does: the functions of each interface that its world exports. The build writes new_thing.h from the WIT.
// C++ without exceptions: what would throw ends the call.

#include "new_thing.h"

#include <cstdlib>
#include <string>

// An argument is ours to free, a result is the caller's: both come from malloc.
void exports_example_new_thing_greetings_greet(new_thing_string_t *name, new_thing_string_t *ret) {
    std::string text = "Hello, ";
    text.append(reinterpret_cast<const char *>(name->ptr), name->len).append("!");
    new_thing_string_free(name);
    ret->len = text.size();
    ret->ptr = static_cast<uint8_t *>(std::malloc(ret->len));
    if (ret->ptr == nullptr) {
        std::abort();
    }
    text.copy(reinterpret_cast<char *>(ret->ptr), ret->len);
}
