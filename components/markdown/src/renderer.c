// The component's export: `ringfence:markdown/renderer`, answered by cmark-gfm.

#include "markdown.h"

#include <cmark-gfm-core-extensions.h>
#include <cmark-gfm.h>
#include <cmark-gfm-extension_api.h>

#include <stdlib.h>
#include <string.h>

typedef exports_ringfence_markdown_renderer_options_t options_t;

#define HAS(options, name) (((options) & EXPORTS_RINGFENCE_MARKDOWN_RENDERER_OPTIONS_##name) != 0)

static const size_t longest = 16u << 20;

// cmark-gfm renders unsafely by default in old releases and safely in new ones: each knows one of the two switches.
static int switches(options_t options) {
    int found = CMARK_OPT_VALIDATE_UTF8;
#ifdef CMARK_OPT_UNSAFE
    found |= HAS(options, UNSAFE_HTML) ? CMARK_OPT_UNSAFE : CMARK_OPT_SAFE;
#else
    found |= HAS(options, UNSAFE_HTML) ? 0 : CMARK_OPT_SAFE;
#endif
    found |= HAS(options, FOOTNOTES) ? CMARK_OPT_FOOTNOTES : 0;
    found |= HAS(options, SMART_PUNCTUATION) ? CMARK_OPT_SMART : 0;
    found |= HAS(options, HARD_BREAKS) ? CMARK_OPT_HARDBREAKS : 0;
    return found;
}

static void attach(cmark_parser *parser, const char *name) {
    cmark_syntax_extension *extension = cmark_find_syntax_extension(name);
    if (extension == NULL) {
        abort(); // it is compiled in
    }
    cmark_parser_attach_syntax_extension(parser, extension);
}

static cmark_parser *parser_for(options_t options) {
    cmark_gfm_core_extensions_ensure_registered();
    cmark_parser *parser = cmark_parser_new_with_mem(switches(options), cmark_get_arena_mem_allocator());
    if (HAS(options, TABLES)) {
        attach(parser, "table");
    }
    if (HAS(options, STRIKETHROUGH)) {
        attach(parser, "strikethrough");
    }
    if (HAS(options, AUTOLINKS)) {
        attach(parser, "autolink");
    }
    if (HAS(options, TASK_LISTS)) {
        attach(parser, "tasklist");
    }
    return parser;
}

bool exports_ringfence_markdown_renderer_to_html(markdown_string_t *text, options_t options, markdown_string_t *ret,
                                                 exports_ringfence_markdown_renderer_render_error_t *err) {
    if (text->len > longest) {
        markdown_string_free(text);
        *err = EXPORTS_RINGFENCE_MARKDOWN_RENDERER_RENDER_ERROR_TOO_LARGE;
        return false;
    }
    cmark_parser *parser = parser_for(options);
    cmark_parser_feed(parser, (const char *)text->ptr, text->len);
    markdown_string_free(text);
    cmark_node *document = cmark_parser_finish(parser);
    cmark_mem *ordinary = cmark_get_default_mem_allocator();
    char *html = cmark_render_html_with_mem(document, switches(options), cmark_parser_get_syntax_extensions(parser), ordinary);
    cmark_arena_reset(); // parser and document at once; one after another, they leave the heap in pieces all over the memory
    ret->ptr = (uint8_t *)html; // from malloc: the caller frees it
    ret->len = strlen(html);
    return true;
}

void exports_ringfence_markdown_renderer_library(markdown_string_t *ret) {
    char text[64] = "cmark-gfm ";
    strncat(text, cmark_version_string(), sizeof text - strlen(text) - 1);
    markdown_string_dup(ret, text);
}
