"""The frame of every page: heading, facts, style; with nothing that a network would be asked for."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from typing import Any

from .. import __version__
from ..resources import resource_text
from .labels import label

Fact = tuple[str, str]


def page(
    title: str,
    language: str,
    parts: Iterable[str],
    facts: Iterable[Fact] = (),
    *,
    about: Iterable[Fact] = (),
    index: str | None = None,
) -> str:
    """A page that holds all it needs.

    Args:
        title: its heading, as text.
        parts: HTML, one string a section; empty ones are left out.
        facts: name and value of what stands below the heading, as text.
        about: what stands below them and can be folded away, such as the method.
        index: relative address of the page above this one.
    """
    listed = "".join(
        f"<li>{escape(name)}{' ' if name else ''}<b>{escape(value)}</b></li>"
        for name, value in facts
    )
    told = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in about)
    if told:
        told = (
            f"<details open><summary>{label('about', language)}</summary><dl>{told}</dl></details>"
        )
    up = ""
    if index is not None:
        up = f'<nav><a href="{escape(index)}">{label("all_reports", language)}</a></nav>'
    made = label("print", language).format(version=__version__)
    return (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # An empty icon, so that a browser does not ask the server for one.
        '<link rel="icon" href="data:,">\n'
        f"<title>{escape(title)}</title>\n<style>\n{resource_text('crmkit.present', 'page.css')}</style>\n"
        f"</head>\n<body>\n<main>\n<header>{up}<h1>{escape(title)}</h1>"
        f'<ul class="facts">{listed}</ul>{told}</header>\n'
        + "\n".join(part for part in parts if part)
        + f"\n<footer>{escape(made)}</footer>\n</main>\n</body>\n</html>\n"
    )


def script_json(value: Any) -> str:
    """JSON that cannot end the script element it stands in, whatever the data say."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")
