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
        self.what, self.name, self.known = what, name, sorted(known)
        near = difflib.get_close_matches(name, self.known, n=3)
        if near:
            hint = f"Did you mean {' or '.join(near)}? {hint}".rstrip()
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
