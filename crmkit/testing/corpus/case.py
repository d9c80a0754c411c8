"""One case of the corpus: a file, the profile that reads it, and what has to become of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import field, frozen


@frozen(kw_only=True)
class Case:
    """A bad input and what crmkit does with it.

    Attributes:
        name: unique in the corpus; the source under which its rows are stored.
        items: which items of the list of bad inputs it shows (see the package's docstring).
        content: the file's bytes, or a function that makes them when the case is run.
        file: the file's name.
        profile: the TOML that reads it.
        refused: code of the error that refuses the whole file; None if it is read.
        exit_code: of that error.
        rejects: ``(line, code)`` of each rejected row, in order.
        stored: ref to the stored value of ``column``; None is not looked at.
        column: of the customer, or of the corpus's own customer fields.
        unchanged: how many rows are found unchanged.
        remark: words that the refusal, or the import beside its counts, has to say.
        options: further arguments of the import.
    """

    name: str
    items: tuple[int, ...]
    content: bytes | Callable[[], bytes] = field(repr=False)
    file: str = "rows.csv"
    profile: str = field(repr=False)
    refused: str | None = None
    exit_code: int = 2
    rejects: tuple[tuple[int, str], ...] = ()
    stored: Mapping[str, Any] | None = field(default=None, hash=False)
    column: str = "name"
    unchanged: int = 0
    remark: str = ""
    options: Mapping[str, Any] = field(factory=dict, hash=False)

    def bytes(self) -> bytes:
        """The file's content."""
        return self.content if isinstance(self.content, bytes) else self.content()


def profile(source: str = "", customer: str = "", fields: str = "") -> str:
    """A profile that reads ``id`` and ``name``.

    Args:
        source: further lines of ``[source]``.
        customer: further fields of the customer.
        fields: the corpus's own customer fields; empty has none.
    """
    own = f'[[emit]]\nentity = "corpus.customer"\n[emit.fields]\n{fields}\n' if fields else ""
    return (
        f'name = "corpus"\n[source]\nname = "corpus"\nkey = ["id"]\n{source}\n'
        f'[[emit]]\nentity = "customer"\nkey = "id"\n[emit.fields]\nname = "name"\n{customer}\n{own}'
    )


PLAIN = profile()
JSONL = profile('format = "jsonl"')
