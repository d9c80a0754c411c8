"""Colours of states in a terminal."""

from __future__ import annotations

from .grid import Column

BOLD, DIM, RESET = "\x1b[1m", "\x1b[2m", "\x1b[0m"
_GREEN, _YELLOW, _RED = "\x1b[32m", "\x1b[33m", "\x1b[31m"

# Columns whose values are states. A word such as ``open`` in a free text has no colour.
_STATE_COLUMNS = frozenset(
    ("state", "status", "stage", "to_stage", "kind", "verdict", "result", "level", "severity",
     "standing", "outcome", "answer", "decision", "allowed", "health", "enabled")
)  # fmt: skip
_WORDS = {
    _GREEN: """ok sound enabled active done won paid approved accepted reached allowed given met
        resolved closed settled delivered confirmed sent passed finished growth maturity""",
    _YELLOW: """open pending waiting due todo warning warn at_risk paused planned partly stale
        suspended escalated reopened disputed call_again high major medium maybe partial""",
    _RED: """fault faulty failed failing lost blocked rejected refused declined withdrawn churned
        overdue breached error broken critical termination no_show defaulted not_met denied
        missing unsound damaged""",
}
_COLOURS = {word: colour for colour, words in _WORDS.items() for word in words.split()}


def state_colour(column: Column, value: str) -> str:
    """The escape sequence for a state; empty where the column has no states or the word is neutral."""
    if column.name.rpartition(".")[2] not in _STATE_COLUMNS:
        return ""
    return _COLOURS.get(value.strip().lower().replace(" ", "_").replace("-", "_"), "")
