"""Reads a page as a browser would, as far as the tests ask."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from attrs import define, field

# Elements without an end (HTML Living Standard, section 13.1.2).
VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())


@define
class Page:
    """What a page holds.

    Attributes:
        links: addresses of its links. asked: every address that opening it would load.
        text: the text outside scripts and styles.
        faults: elements that end without having begun, or begin without an end.
    """

    links: list[str] = field(factory=list)
    asked: list[str] = field(factory=list)
    scripts: list[str] = field(factory=list)
    ids: list[str] = field(factory=list)
    tags: list[str] = field(factory=list)
    faults: list[str] = field(factory=list)
    text: str = ""

    @classmethod
    def parse(cls, text: str) -> Page:
        """The parts of a page."""
        page = cls()
        reader = _Reader(page)
        reader.feed(text)
        reader.close()
        page.faults += [f"<{tag}> has no end" for tag in reader.open]
        return page


class _Reader(HTMLParser):
    def __init__(self, page: Page) -> None:
        super().__init__()
        self.page, self.open = page, list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        found = dict(attrs)
        self.page.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        if "id" in found:
            self.page.ids.append(found["id"])
        if tag == "script":
            self.page.scripts.append("")
        if tag == "a":
            self.page.links.append(found.get("href") or "")
        elif found.get("href"):
            self.page.asked.append(found["href"])
        if found.get("src"):
            self.page.asked.append(found["src"])

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            self.page.faults.append(f"</{tag}> ends nothing")
            return
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if "script" in self.open:
            self.page.scripts[-1] += data
        elif "style" not in self.open:
            self.page.text += data
