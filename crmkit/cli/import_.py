"""``crmkit import``: read a file into the store through a profile."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import click

from ..progress import step
from .main import State
from .options import format_option, output_option
from .output import emit_record, note
from .working import hidden

if TYPE_CHECKING:
    from ..intake.intake import ImportResult

REJECTED = 3


@click.command("import")
@click.argument("file", metavar="[FILE|URL]", required=False)
@click.option("--profile", required=True, metavar="NAME|FILE.toml", help="How the file's rows become customers, records and interactions; see: crmkit profile list.")  # fmt: skip
@click.option("--source", metavar="NAME", help="Whose keys the file's are. Default: the profile's source.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Do everything, count it, and keep nothing.")
@click.option("--rejects", metavar="FILE", help="Where rejected rows go, also of a dry run. Default: a file in the workspace's rejects folder; of a dry run none.")  # fmt: skip
@click.option("--rejects-ok", is_flag=True, help="Exit 0 even if rows were rejected.")
@click.option("--encoding", metavar="NAME", help="Of a text file, as gb18030 or big5. Default: the profile's; it is never guessed.")  # fmt: skip
@click.option("--yes", is_flag=True, help="Import without asking what is below the profile's declared quality, or of which more than 5 % of the rows are rejected.")  # fmt: skip
@click.option("--strict", is_flag=True, help="Refuse columns that the profile does not map.")
@format_option
@output_option
@click.pass_obj
def command(
    state: State,
    file: str | None,
    profile: str,
    source: str | None,
    dry_run: bool,
    rejects: str | None,
    rejects_ok: bool,
    yes: bool,
    strict: bool,
    encoding: str | None,
    format: str,
    output: str | None,
) -> int:
    """Read FILE (- is standard input) into the store through a profile.

    A profile with a query reads a database instead: that of URL, or of the profile.

    Every row is created, updated, unchanged or rejected, and the four sum to those read. Rejected
    rows are written to a file with the reason beside each, and the exit code is 3. The same command
    after an interruption goes on where it stopped; after a complete import it changes nothing.

    A profile with [quality] is tried on the whole file first; below it, the import asks before it
    stores anything, and without a terminal refuses (exit 2) unless --yes is given. Without a declared
    max_rejected an import on a terminal asks if more than 5 % of the rows are rejected; elsewhere it
    loads the others and begins its remarks with the share.

    Example: crmkit import telco_churn.csv --profile ibm-telco
    """
    with state.open() as crm:
        asks = not yes and sys.stdin.isatty() and sys.stderr.isatty()

        def ask(question: str, found: Sequence[str]) -> bool:
            for words in found:
                note(words)
            with hidden():
                return click.confirm(question, err=True)

        result = crm.intake.import_file(
            file, profile, source=source, dry_run=dry_run, rejects=rejects, strict=strict,
            encoding=encoding, progress=partial(step, f"reading {file or profile}"),
            accept=lambda found: yes or (asks and ask(_BELOW, found)),
            doubt=(lambda found: ask(_MANY, found)) if asks else None,
        )  # fmt: skip
    _remark(result, dry_run)
    emit_record(result.as_dict(), format=format, output=output)
    return REJECTED if result.rejected and not rejects_ok else 0


_BELOW = "Below the declared quality. Import nevertheless?"
_MANY = "Import the other rows?"


def _remark(result: ImportResult, dry_run: bool) -> None:
    # The share comes first, whatever else there is to say: a result on the rest may look sound.
    if result.rejected:
        file = f": {result.rejects_file}" if result.rejects_file else "."
        note(result.share_words + file)
    if dry_run:
        note("dry run: nothing was kept.")
        if result.delimiter:
            note(f"cells are delimited by {result.delimiter!r}.")
    if result.resumed_at is not None:
        note(f"went on at line {result.resumed_at}, where the import had been interrupted.")
    if result.unknown:
        note(f"columns that the profile does not map: {', '.join(result.unknown)}.")
    for remark in result.remarks:
        note(remark)
    if result.absent:
        note(f"{result.absent} stored customers are not in the file: {result.absent_file}")
