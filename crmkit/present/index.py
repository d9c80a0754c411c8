"""The index page: every published report under its plugin, with one figure each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

from .frame import Part, page, safe
from .grid import Column
from .labels import heading_unit, label
from .values import json_value, shown

if TYPE_CHECKING:
    from ..entities.asof import AsOf
    from ..hosting.manifest import Manifest


@frozen(kw_only=True)
class Entry:
    """One published report.

    Attributes:
        headline: column and value of its key figure; None where it has none.
        remarks: what the reader should know about this run.
    """

    name: str
    plugin: str
    title: str
    title_zh: str
    rows: int
    headline: tuple[Column, Any] | None = None
    remarks: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """The name of its page, beside the index."""
        return f"{self.name}.html"

    def label(self, language: str) -> str:
        """The title in that language; the English one where there is no other."""
        return (self.title_zh if language == "zh" else "") or self.title

    def document(self, language: str) -> dict[str, Any]:
        """The same as a flat object (design D11); ``figure`` names the column of ``value``."""
        column, value = self.headline or (None, None)
        figure = column.name if column else None
        return {
            "name": self.name,
            "plugin": self.plugin,
            "title": self.label(language),
            "file": self.file,
            "rows": self.rows,
            "figure": figure,
            "value": json_value(figure or "", value),
        }


def index_page(
    entries: Sequence[Entry],
    faults: Mapping[str, str],
    plugins: Mapping[str, Manifest],
    as_of: AsOf,
    language: str,
) -> str:
    """The page that lists the reports.

    Args:
        entries: in the order in which they are listed under their plugin.
        faults: reports that could not be run, by name, with the reason.
        plugins: manifests by name, whose titles head the groups.
    """
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.plugin, []).append(entry)
    parts = [_group(plugins[name], listed, language) for name, listed in groups.items()]
    if not parts:
        parts = [f'<p class="empty">{label("none_published", language)}</p>']
    parts.append(_failed(faults, language))
    facts = [
        (label("as_of", language), str(as_of.on)),
        ("", f"{len(entries)} {label('reports_unit', language)}"),
    ]
    return page(label("reports", language), language, map(Part, parts), facts)


def _group(plugin: Manifest, entries: Sequence[Entry], language: str) -> str:
    title = (plugin.title_zh if language == "zh" else "") or plugin.title or plugin.name
    heads = "".join(
        f'<th scope="col"{_class(key)}>{label(key, language)}</th>'
        for key in ("report", "key_figure", "count")
    )
    rows = "".join(_row(entry, language) for entry in entries)
    return (
        f'<section class="card"><h2>{safe(title)}</h2><table class="index">'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></section>"
    )


def _class(key: str) -> str:
    return "" if key == "report" else ' class="number"'


def _row(entry: Entry, language: str) -> str:
    notes = "".join(f"<p>{safe(remark)}</p>" for remark in entry.remarks)
    figure = ""
    if entry.headline is not None:
        column, value = entry.headline
        unit = heading_unit(column, language)
        said = f"{shown(value, column)} {unit}".rstrip()
        figure = f"<b>{safe(said)}</b> <span>{safe(column.label(language))}</span>"
    cells = (
        f'<td><a href="{safe(entry.file)}">{safe(entry.label(language))}</a>{notes}</td>',
        f'<td class="figure">{figure}</td>',
        f'<td class="number" data-label="{label("count", language)}">{entry.rows:,}</td>',
    )
    return f"<tr>{''.join(cells)}</tr>"


def _failed(faults: Mapping[str, str], language: str) -> str:
    if not faults:
        return ""
    lines = "".join(f"<p><b>{safe(name)}</b> {safe(fault)}</p>" for name, fault in faults.items())
    return f'<section class="remarks"><h2>{label("failed", language)}</h2>{lines}</section>'
