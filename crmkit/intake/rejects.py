"""The rejects file: the original rows with the reason beside each, to be mended and imported again."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from attrs import frozen

from ..errors import StorageError
from .files import check_regular

REASON_COLUMNS = ("_line", "_code", "_field", "_value", "_allowed", "_message")


@frozen
class Reject:
    """A rejected row: where it stood, why, and its original (a list of cells, or a JSONL line)."""

    line: int
    code: str
    field: str
    value: str
    allowed: str
    message: str
    original: Any

    @property
    def reason(self) -> tuple[Any, ...]:
        """The values of REASON_COLUMNS."""
        return (self.line, self.code, self.field, self.value, self.allowed, self.message)


@contextmanager
def rejects_file(
    path: Path, *, header: Sequence[str] | None, delimiter: str, mark: bool = False
) -> Iterator[Callable[[Iterable[Reject]], None]]:
    """A file of rejects that appears whole or not at all; what it gives adds rejects to it.

    Args:
        header: columns of a CSV file; None writes JSONL.
        delimiter: of the CSV file that was read.
        mark: begin it with the byte order mark of UTF-8.

    Raises:
        StorageError: if it cannot be written.
    """
    with whole_file(path) as out:
        if mark:
            out.write("\ufeff")
        yield (
            partial(_write_jsonl, out) if header is None else _csv_writer(out, header, delimiter)
        )


@contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """A UTF-8 text file that appears under its name once it is complete and on the disk.

    Raises:
        InputRefused: if something else than a file has this name.
        StorageError: if it cannot be written.
    """
    check_regular(path)
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("w", encoding="utf-8", newline="") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _csv_writer(
    out: TextIO, header: Sequence[str], delimiter: str
) -> Callable[[Iterable[Reject]], None]:
    # The file may be a mended rejects file itself; its old reasons are replaced.
    kept = [i for i, name in enumerate(header) if name not in REASON_COLUMNS]
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow([*(header[i] for i in kept), *REASON_COLUMNS])

    def write(rejects: Iterable[Reject]) -> None:
        for reject in rejects:
            cells = list(reject.original)
            # What stands beyond the last column would shift the reasons; it is named in the message.
            row = [cells[i] if i < len(cells) else "" for i in kept]
            writer.writerow([*row, *map(_on_one_line, reject.reason)])

    return write


def _on_one_line(value: Any) -> Any:
    # A line break in a reason would make the mended row one that spans lines.
    return value.replace("\r", "").replace("\n", "\\n") if isinstance(value, str) else value


def _write_jsonl(out: TextIO, rejects: Iterable[Reject]) -> None:
    for reject in rejects:
        reason = dict(zip(REASON_COLUMNS, reject.reason, strict=True))
        # What was refused as JSON is kept as it stood: reading it would lose, say, the other one of
        # two equal keys.
        unread = reject.code in ("E_JSON", "E_ENCODING")
        text = json.dumps({"_text": reject.original}) if unread else reject.original
        out.write(_with_reason(text, reason) + "\n")


def _with_reason(text: str, reason: dict[str, Any]) -> str:
    """The object with the reason at its end; its numbers stay as they are written.

    To read and write them again would cut long decimals and fail at thousands of digits.
    """
    body = text.strip()
    head, mark, tail = body.rpartition(f'"{REASON_COLUMNS[0]}":')
    if mark:
        # A mended rejects file: its old reason is replaced.
        if json.loads("{" + mark + tail).keys() <= {*REASON_COLUMNS}:
            body = head.rstrip().rstrip(",") + "}"
        else:
            kept = {k: v for k, v in json.loads(body).items() if k not in REASON_COLUMNS}
            body = json.dumps(kept, ensure_ascii=False)
    inner = body[:-1].rstrip()
    comma = "" if inner == "{" else ", "
    return inner + comma + json.dumps(reason, ensure_ascii=False)[1:]
