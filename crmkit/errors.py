"""Every error that crmkit raises on purpose, as one tree.

::

    CrmkitError                     1    failed, nothing half-done
    ├── EditConflict                1    somebody else changed it in between
    ├── UsageError (ValueError)     2    asked wrongly
    │   ├── NotFound (LookupError)       a name that nothing answers to
    │   ├── NotConfirmed                 a severe act without its confirmation
    │   ├── InputRefused                 a whole file that cannot be read as asked
    │   ├── MoveRefused                  a stage move that the lifecycle forbids
    │   └── SqlRefused                   SQL outside the portable, read-only subset
    ├── NotPermitted (PermissionError) 4 the policy says no
    ├── ConfigError (ValueError)    5    settings, profile, schema or version do not fit
    │   ├── DeclarationError             what a plugin declares is not sound
    │   ├── ProfileError                 an import profile is not sound
    │   └── SchemaOutdated               the database needs ``crmkit db upgrade``
    ├── Busy (TimeoutError)         6    somebody else is writing; try again
    │   └── Contended                    the database chose this write to give way
    ├── PluginError (RuntimeError)  7    a plugin failed; it is named
    ├── StorageError (OSError)      8    disk full, read-only or I/O error
    │   └── DatabaseDamaged              the database holds what nobody wrote
    └── Interrupted                 130  stopped at a batch edge, can be resumed

The number is the exit code of the command line (design section 4).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class CrmkitError(Exception):
    """Something that crmkit was asked to do failed, and nothing was left half-done.

    Attributes:
        exit_code: what the command line returns.
        code: a stable ``E_...`` name that scripts may rely on.
        hint: what the reader can do next, one sentence, or an empty string.
    """

    exit_code = 1
    code = "E_FAILED"

    def __init__(self, message: str, *, code: str | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


def near_names(name: str, known: Iterable[str], *, most: int = 3) -> list[str]:
    """Known names that a misspelt one may stand for, the nearest first; each once.

    Names with a common beginning, as ``telecom.churn`` and ``telecom.plan``, or ``Europe/Berlin``,
    are compared by what follows it as well: their plugin alone makes no two names alike. What is
    much less like the name than the best one is left out.
    """
    asked = name.casefold()
    likeness = {other: _likeness(asked, other.casefold()) for other in set(known)}
    best = max(likeness.values(), default=0.0)
    near = [other for other, share in likeness.items() if share >= max(0.6, best - 0.2)]
    return sorted(near, key=lambda other: (-likeness[other], other))[:most]


def did_you_mean(name: str, known: Iterable[str], *, sentence: bool = True) -> str:
    """``Did you mean a, b or c?`` for a misspelt name; empty where no known name is near.

    Args:
        sentence: False within a sentence, such as in brackets: begins with a small letter.
    """
    near = near_names(name, known)
    if not near:
        return ""
    *first, last = near
    listed = f"{', '.join(first)} or {last}" if first else last
    return f"{'Did' if sentence else 'did'} you mean {listed}?"


def _likeness(asked: str, other: str) -> float:
    """How alike two names are, from 0 to 1, by their last parts where both have the same plugin."""
    (plugin, _, verb), (other_plugin, _, other_verb) = (_parts(text) for text in (asked, other))
    if verb and other_verb and plugin == other_plugin:
        return _ratio(verb, other_verb)
    last, other_last = verb or plugin, other_verb or other_plugin
    whole = _ratio(asked, other)
    # A name without its plugin: chrun for telecom.churn.
    return whole if verb else max(whole, _ratio(last, other_last) - 0.05)


def _parts(text: str) -> tuple[str, str, str]:
    for mark in (".", "/"):
        if mark in text:
            return text.rpartition(mark)
    return text, "", ""


def _ratio(left: str, right: str) -> float:
    return difflib.SequenceMatcher(None, left, right).ratio()


class EditConflict(CrmkitError):
    """The caller changes a version that somebody else has changed since it was read.

    Attributes:
        expected: the version that the caller had read.
        found: the version that is stored now.
    """

    code = "E_EDIT_CONFLICT"

    def __init__(self, what: str, expected: int, found: int) -> None:
        self.expected, self.found = expected, found
        super().__init__(
            f"{what} was changed in between: version {expected} was read, {found} is stored.",
            hint="Nothing was changed; read it again.",
        )


class UsageError(CrmkitError, ValueError):
    """The caller asked for something that cannot be asked."""

    exit_code = 2
    code = "E_USAGE"


class NotFound(UsageError, LookupError):
    """The caller named something that does not exist here.

    Attributes:
        what: the kind of thing, as ``report``.
        name: what was asked for.
        known: the names that exist.
    """

    code = "E_NOT_FOUND"

    def __init__(self, what: str, name: str, known: Iterable[str] = (), *, hint: str = "") -> None:
        self.what, self.name, self.known = what, name, sorted(set(known))
        near = did_you_mean(name, self.known)
        if near:
            hint = f"{near} {hint}".rstrip()
        elif self.known and not hint:
            shown = ", ".join(self.known[:12]) + (", ..." if len(self.known) > 12 else "")
            hint = f"Known: {shown}."
        super().__init__(f"there is no {what} {name!r}.", hint=hint)


class NotConfirmed(UsageError):
    """The caller did not confirm an act that cannot be undone."""

    code = "E_NOT_CONFIRMED"


class InputRefused(UsageError):
    """The caller gave a file that cannot be read as asked; nothing was changed."""

    code = "E_INPUT"


class MoveRefused(UsageError):
    """The caller asked for a stage move that the lifecycle does not allow."""

    code = "E_MOVE"


class SqlRefused(UsageError):
    """The caller gave SQL outside the portable read-only subset."""

    code = "E_SQL"


class NotPermitted(CrmkitError, PermissionError):
    """The policy does not let this user do this."""

    exit_code = 4
    code = "E_NOT_PERMITTED"


class ConfigError(CrmkitError, ValueError):
    """A setting, a profile, a schema or a version does not fit."""

    exit_code = 5
    code = "E_CONFIG"


class DeclarationError(ConfigError):
    """A plugin declares something unsound.

    Attributes:
        plugin: who declared it.
        faults: every fault found, one sentence each.
    """

    code = "E_DECLARATION"

    def __init__(self, plugin: str, faults: Iterable[str]) -> None:
        self.plugin, self.faults = plugin, list(faults)
        super().__init__(f"plugin {plugin}: " + "; ".join(self.faults))


class ProfileError(ConfigError):
    """An import profile is unsound; the message names its line or key.

    Attributes:
        faults: every fault found, one sentence each.
    """

    code = "E_PROFILE"

    def __init__(self, where: str, faults: Iterable[str]) -> None:
        self.faults = list(faults)
        super().__init__(f"profile {where}: " + "; ".join(self.faults) + ".")


class SchemaOutdated(ConfigError):
    """The database does not have the tables that the enabled plugins declare."""

    code = "E_SCHEMA"


class Busy(CrmkitError, TimeoutError):
    """Another process holds the database for longer than crmkit waits."""

    exit_code = 6
    code = "E_BUSY"


class Contended(Busy):
    """Two writes waited for each other and the database chose this one to give way, again and again."""


class PluginError(CrmkitError, RuntimeError):
    """A plugin failed.

    Attributes:
        plugin: its name.
        hook: the hook in which it failed, or ``load``.
        reason: what it did, without its name and the hook's.
    """

    exit_code = 7
    code = "E_PLUGIN"

    def __init__(self, plugin: str, hook: str, message: str, *, hint: str = "") -> None:
        self.plugin, self.hook, self.reason = plugin, hook, message
        super().__init__(f"plugin {plugin}, {hook}: {message}", hint=hint)


class StorageError(CrmkitError, OSError):
    """The disk is full, read-only or failing."""

    exit_code = 8
    code = "E_STORAGE"


class DatabaseDamaged(StorageError):
    """A page or a value of the database is not what was written.

    Args:
        told: how it shows, in the words of the database where it has any.
    """

    code = "E_DAMAGED"

    def __init__(self, told: str) -> None:
        super().__init__(
            f"the database is damaged: {told.rstrip('.')}.",
            hint="Write nothing more into it. Run crmkit doctor --deep to see how far the damage "
            "goes, keep a copy of the database, and restore the last sound backup.",
        )


class Interrupted(CrmkitError):
    """The run was stopped at a batch edge; the same command resumes it."""

    exit_code = 130
    code = "E_INTERRUPTED"
