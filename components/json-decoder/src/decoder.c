// The component's export: `ringfence:json/decoder`, answered by yyjson.

#include "decoder.h"

#include <stdlib.h>
#include <string.h>

typedef exports_ringfence_json_decoder_decode_error_t error_t;

// What the last answer lies in, until its caller has it: strings in the parser's document, nodes and their lists in one block.
static struct {
    yyjson_doc *document;
    void *block;
} answer;

void *memory(size_t count, size_t size) {
    void *found = count > SIZE_MAX / size ? NULL : malloc(count * size);
    if (found == NULL) {
        abort();
    }
    return found;
}

// A fault as the WIT has it: places count characters, and lines and columns count from 1.
static error_t located(const text_t *text, fault_t fault) {
    error_t error = {.kind = fault.kind, .line = 1, .column = 1};
    for (const uint8_t *next = text->ptr; next < fault.place; next++) {
        if (*next == '\n') {
            error.line++;
            error.column = 0;
        }
        if ((*next & 0xC0) != 0x80) {
            error.offset++;
            error.column++;
        }
    }
    json_decoder_string_set(&error.message, fault.message);
    return error;
}

// The document of a text; or what is wrong with it, a bound before all else.
static fault_t decoded(const text_t *text, document_t *document) {
    yyjson_read_err error;
    answer.document = yyjson_read_opts((char *)text->ptr, text->len, YYJSON_READ_NUMBER_AS_RAW, NULL, &error);
    if (answer.document == NULL && error.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION) {
        abort();
    }
    bool all_seen = false;
    answer.block = answer.document == NULL ? NULL : flattened(answer.document, document, &all_seen);
    fault_t fault = all_seen ? (fault_t){0} : beyond_bounds(text);
    if (answer.block != NULL || fault.message != NULL) {
        return fault;
    }
    fault = first_fault(text);
    return fault.message != NULL ? fault : (fault_t){KIND(SYNTAX), error.msg, text->ptr + error.pos};
}

bool exports_ringfence_json_decoder_decode(text_t *text, document_t *ret, error_t *err) {
    fault_t fault = {0};
    if (may_be_too_large(text)) {
        fault = beyond_bounds(text);
    }
    if (fault.message == NULL) {
        fault = decoded(text, ret);
    }
    if (fault.message != NULL) {
        *err = located(text, fault);
    }
    json_decoder_string_free(text);
    return fault.message == NULL;
}

// Takes the place of what wit-bindgen generates, a weak symbol, which would free each string and list for itself.
#ifdef __wasm__
__attribute__((__export_name__("cabi_post_ringfence:json/decoder@0.1.0#decode")))
#endif
void __wasm_export_exports_ringfence_json_decoder_decode_post_return(uint8_t *result) {
    (void)result; // an error's message is a constant
    yyjson_doc_free(answer.document);
    free(answer.block);
    memset(&answer, 0, sizeof answer);
}
