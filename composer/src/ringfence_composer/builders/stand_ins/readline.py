"""Stands in for `readline`: a guest has no terminal. Settings are taken, as `rlcompleter` makes some when it is imported; the rest raises."""

from ringfence_gap import functions

backend = "none"
globals().update(
    functions(
        "no terminal",
        *("read_init_file", "get_line_buffer", "insert_text", "redisplay", "read_history_file", "write_history_file"),
        *("append_history_file", "get_history_length", "get_current_history_length", "get_history_item", "remove_history_item"),
        *("replace_history_item", "add_history", "clear_history", "get_completion_type", "get_begidx", "get_endidx"),
    )
)


def _settled(*_values):
    """There is nothing that it could change."""


parse_and_bind = set_auto_history = set_history_length = set_startup_hook = set_pre_input_hook = set_completer = _settled
set_completer_delims = set_completion_display_matches_hook = _settled


def get_completer():
    """What completes: nothing."""


def get_completer_delims():
    """What parts words that are completed: nothing is."""
    return ""
