"""The frame of every page: heading, facts, style; with nothing that a network would be asked for.

A page says itself what a browser may do with it (a Content Security Policy): run the scripts that
it was made with, told by their hash, and nothing else. So what got into it as markup after all, from
a name or a title, stays dead.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from html import escape
from typing import Any

from attrs import frozen

from .. import __version__
from ..resources import resource_text
from .labels import label
from .values import printable

Fact = tuple[str, str]


@frozen
class Part:
    """One section of a page.

    Attributes:
        html: markup without scripts; empty is left out.
        scripts: sources of the scripts that it needs, which run when the whole page is there.
    """

    html: str
    scripts: tuple[str, ...] = ()


def page(
    title: str,
    language: str,
    parts: Iterable[Part],
    facts: Iterable[Fact] = (),
    *,
    about: Iterable[Fact] = (),
    index: str | None = None,
) -> str:
    """A page that holds all it needs.

    Args:
        title: its heading, as text.
        parts: its sections.
        facts: name and value of what stands below the heading, as text.
        about: what stands below them and can be folded away, such as the method.
        index: relative address of the page above this one.
    """
    listed = "".join(
        f"<li>{safe(name)}{' ' if name else ''}<b>{safe(value)}</b></li>" for name, value in facts
    )
    told = "".join(f"<dt>{safe(k)}</dt><dd>{safe(v)}</dd>" for k, v in about)
    if told:
        told = (
            f"<details open><summary>{label('about', language)}</summary><dl>{told}</dl></details>"
        )
    up = ""
    if index is not None:
        up = f'<nav><a href="{safe(index)}">{label("all_reports", language)}</a></nav>'
    made = label("print", language).format(version=__version__)
    listed_parts = [part for part in parts if part.html]
    scripts = list(dict.fromkeys(script for part in listed_parts for script in part.scripts))
    style = f"\n{resource_text('crmkit.present', 'page.css')}"
    return (
        f'<!DOCTYPE html>\n<html lang="{safe(language)}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy(scripts, style)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # An empty icon, so that a browser does not ask the server for one.
        '<link rel="icon" href="data:,">\n'
        f"<title>{safe(title)}</title>\n<style>{style}</style>\n"
        f"</head>\n<body>\n<main>\n<header>{up}<h1>{safe(title)}</h1>"
        f'<ul class="facts">{listed}</ul>{told}</header>\n'
        + "\n".join(part.html for part in listed_parts)
        + f"\n<footer>{safe(made)}</footer>\n</main>\n"
        + "".join(f"<script>{script}</script>\n" for script in scripts)
        + "</body>\n</html>\n"
    )


def policy(scripts: Iterable[str], style: str) -> str:
    """What a browser may do with a page: run these scripts, use this style, load nothing.

    Source: W3C, Content Security Policy Level 3, sections 2.3.1 and 6.
    """
    allowed = " ".join(map(_hash, scripts)) or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src {_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def safe(text: str) -> str:
    """Text as HTML, in an element or an attribute: no markup, and no sign that turns what follows."""
    return escape(printable(text))


def script_json(value: Any) -> str:
    """JSON that cannot end the script element it stands in, whatever the data say."""
    made = json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")
    if made.isprintable():
        return made
    return "".join(sign if sign.isprintable() else json.dumps(sign)[1:-1] for sign in made)
