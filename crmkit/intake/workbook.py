"""An XLSX file as a package: guarded before a byte of it is parsed, then its parts one by one."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO
from xml.parsers import expat

from attrs import frozen

from ..errors import InputRefused, NotFound
from .lines import composed
from .signs import SIGNS

ZIP = b"PK\x03\x04"
OLD_OFFICE = b"\xd0\xcf\x11\xe0"
BLOCK_BYTES = 1 << 18
MOST_MEMBERS = 1_000
MOST_BYTES = 512 << 20
LARGEST_RATIO = 100
FREE_BYTES = 50 << 20
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
# What a code says about its cells when quoted texts, escapes and colours are left out.
_UNSAID = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?![hms]+\])[^\]]*\]')
# A code in parts: quoted text, escaped sign, blank of a sign's width, fill, bracket, anything else.
_PARTS = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]|.', re.DOTALL)
# What a code shows without quotes.
_BARE = frozenset("-+/() ")
_DIGITS = re.compile("[0#?]|general", re.I)
_BUILTIN_DATES = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
Start = Callable[[str, dict[str, str]], None]


@frozen
class SheetEntry:
    """A sheet of the workbook: its name, its part, and whether it is hidden."""

    name: str
    part: str
    hidden: bool


@frozen
class Style:
    """How a cell style shows numbers: as dates, or filled up with zeros to ``zeros`` digits.

    Attributes:
        literal: text that the format shows beside the digits, as ``K-`` or ``EUR``.
        pattern: the format as literal texts and ``0`` for each digit, if it has nothing else, as
            ``("K-", "0", "0")``; None where it has decimals, groups or a condition.
    """

    is_date: bool = False
    zeros: int = 0
    literal: str = ""
    pattern: tuple[str, ...] | None = None

    def shown(self, digits: str) -> str:
        """A whole number as a spreadsheet shows it: the last digit in the last place."""
        places = (self.pattern or ()).count("0")
        left = list(digits.zfill(places))
        # More digits than places all stand in the first one.
        first = "".join(left[: len(left) - places + 1])
        rest = iter([first, *left[len(left) - places + 1 :]])
        return "".join(next(rest) if part == "0" else part for part in self.pattern or ())


class Workbook:
    """The parts of a workbook that its cells need.

    Args:
        stream: the file; it can be sought.
        name: the file's name, for messages.

    Attributes:
        sheets: in their order.
        texts: the shared strings.
        styles: by the number that cells name.
        from_1904: whether day 0 is 1 January 1904.

    Raises:
        InputRefused: ``E_BOMB``, ``E_ENCRYPTED``, ``E_SIGNATURE`` or ``E_WORKBOOK``.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self.name = name
        self._zip = _checked_zip(stream, name)
        self.from_1904 = False
        self._listed: list[tuple[str, str, bool]] = []
        root = self._root()
        self.parse(root, self._workbook_element)
        targets = self._relations(root)
        self.sheets = [
            SheetEntry(title, targets[link], hidden)
            for title, link, hidden in self._listed
            if link in targets
        ]
        folder = root.rpartition("/")[0]
        self.styles = self._styles(f"{folder}/styles.xml")
        self.texts = self._texts(f"{folder}/sharedStrings.xml")

    def sheet(self, wanted: str | None) -> SheetEntry:
        """The sheet of that name, or the first one that is not hidden.

        Raises:
            NotFound: if there is no such sheet.
            InputRefused: ``E_EMPTY`` if there is none at all.
        """
        if wanted is not None:
            for sheet in self.sheets:
                if sheet.name == wanted:
                    return sheet
            raise NotFound("sheet", wanted, [s.name for s in self.sheets])
        shown = [s for s in self.sheets if not s.hidden] or self.sheets
        if not shown:
            raise InputRefused(f"{self.name} has no sheet.", code="E_EMPTY")
        return shown[0]

    def check(self, part: str) -> None:
        """Unpacks a part once, keeping nothing, so that a broken file is refused at once."""
        for _ in self.blocks(part):
            pass

    def blocks(self, part: str) -> Iterator[bytes]:
        """The unpacked bytes of a part."""
        try:
            with self._zip.open(part) as file:
                while data := file.read(BLOCK_BYTES):
                    yield data
        except KeyError:
            raise self.broken(f"it lacks {part}") from None
        except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError) as error:
            # zlib.error is no OSError, but zipfile tells it as BadZipFile or EOFError.
            raise self.broken(str(error)) from None

    def parser(self, start: Start) -> expat.XMLParserType:
        """A parser that refuses document types, and tells elements without their prefix."""
        parser = expat.ParserCreate()
        parser.buffer_text = True

        def refuse(*_: object) -> None:
            raise InputRefused(
                f"{self.name} declares a document type, which no spreadsheet writes.",
                code="E_BOMB", hint="Save it again in a spreadsheet.",
            )  # fmt: skip

        parser.StartDoctypeDeclHandler = refuse
        parser.StartElementHandler = lambda tag, given: start(tag.rpartition(":")[2], given)
        return parser

    def feed(self, parser: expat.XMLParserType, data: bytes, part: str, *, last: bool) -> None:
        """Gives the parser bytes.

        Raises:
            InputRefused: ``E_WORKBOOK`` where it is no XML.
        """
        try:
            parser.Parse(data, last)
        except expat.ExpatError as error:
            raise self.broken(f"{part}: {error}") from None

    def parse(self, part: str, start: Start) -> None:
        """Reads a whole part."""
        parser = self.parser(start)
        for data in self.blocks(part):
            self.feed(parser, data, part, last=False)
        self.feed(parser, b"", part, last=True)

    def broken(self, words: str) -> InputRefused:
        """The refusal of a file that is no sound workbook."""
        return InputRefused(
            f"{self.name} is no sound workbook: {words}.", code="E_WORKBOOK",
            hint="Save it as .xlsx in a spreadsheet, or as CSV.",
        )  # fmt: skip

    # --- parts --------------------------------------------------------------------------------

    def _root(self) -> str:
        found: list[str] = []

        def element(tag: str, given: Mapping[str, str]) -> None:
            if tag == "Relationship" and given.get("Type", "").endswith("/officeDocument"):
                found.append(given.get("Target", "").lstrip("/"))

        self.parse("_rels/.rels", element)
        if not found or not found[0].endswith(".xml"):
            raise self.broken("it is an archive of another kind")
        return found[0]

    def _workbook_element(self, tag: str, given: Mapping[str, str]) -> None:
        if tag == "workbookPr":
            self.from_1904 = given.get("date1904", "0") in ("1", "true")
        elif tag == "sheet":
            link = next((v for k, v in given.items() if k.rpartition(":")[2] == "id"), "")
            hidden = given.get("state", "visible") != "visible"
            self._listed.append((given.get("name", ""), link, hidden))

    def _relations(self, root: str) -> dict[str, str]:
        folder, _, file = root.rpartition("/")
        found: dict[str, str] = {}

        def element(tag: str, given: Mapping[str, str]) -> None:
            if tag == "Relationship" and given.get("Type", "").endswith("/worksheet"):
                target = given.get("Target", "")
                found[given.get("Id", "")] = (
                    target.lstrip("/") if target.startswith("/") else f"{folder}/{target}"
                )

        self.parse(f"{folder}/_rels/{file}.rels", element)
        return found

    def _styles(self, part: str) -> list[Style]:
        codes: dict[int, str] = {}
        styles: list[Style] = []
        inside: list[bool] = [False]

        def element(tag: str, given: Mapping[str, str]) -> None:
            if tag == "numFmt":
                codes[_whole(given.get("numFmtId"))] = given.get("formatCode", "")
            elif tag in ("cellXfs", "cellStyleXfs", "cellStyles"):
                inside[0] = tag == "cellXfs"
            elif tag == "xf" and inside[0]:
                number = _whole(given.get("numFmtId"))
                styles.append(_style(number, codes.get(number, "")))

        if part in self._zip.namelist():
            self.parse(part, element)
        return styles

    def _texts(self, part: str) -> list[str]:
        if part not in self._zip.namelist():
            return []
        texts: list[str] = []
        pieces: list[str] = []
        # Depth of readings of signs (rPh), whose texts are not the cell's.
        state = {"t": False, "rPh": False}

        def start(tag: str, _: Mapping[str, str]) -> None:
            if tag in state:
                state[tag] = True
            elif tag == "si":
                pieces.clear()

        def end(tag: str) -> None:
            tag = tag.rpartition(":")[2]
            if tag in state:
                state[tag] = False
            elif tag == "si":
                texts.append(cell_text("".join(pieces)))

        def data(text: str) -> None:
            if state["t"] and not state["rPh"]:
                pieces.append(text)

        parser = self.parser(start)
        parser.EndElementHandler, parser.CharacterDataHandler = end, data
        for block in self.blocks(part):
            self.feed(parser, block, part, last=False)
        self.feed(parser, b"", part, last=True)
        return texts


def cell_text(text: str) -> str:
    """A text as the cell shows it: composed, and with the control signs that XML cannot hold."""
    if "_x" in text:
        text = _ESCAPE.sub(_unescaped, text)
    return composed(text)


def _unescaped(match: re.Match[str]) -> str:
    code = int(match[1], 16)
    return match[0] if 0xD800 <= code <= 0xDFFF else chr(code)


def _whole(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else 0


def _style(number: int, code: str) -> Style:
    if number in _BUILTIN_DATES:
        return Style(is_date=True)
    parts = _PARTS.findall(code)
    code = "".join(parts[: parts.index(";")] if ";" in parts else parts)
    said = _UNSAID.sub("", code)
    literal, pattern = _shown_parts(code)
    if re.fullmatch("0{2,}", said):
        return Style(zeros=len(said), literal=literal, pattern=pattern if literal else None)
    if pattern is not None and literal:
        return Style(literal=literal, pattern=pattern)
    if literal and _DIGITS.search(said) and not re.search("[dmyhs]", said, re.I):
        return Style(literal=literal)
    # [h]:mm counts hours and is a number, not a time of day.
    return Style(
        is_date=bool(re.search("[dmyhs]", said, re.I))
        and "[" not in said
        and said.lower() != "general"
    )


def _shown_parts(code: str) -> tuple[str, tuple[str, ...] | None]:
    """What a code shows beside digits, and the code in parts if these are texts and 0 only."""
    pattern: list[str] = []
    only = True
    for part in _PARTS.findall(code):
        if part[0] == '"':
            pattern.append(part[1:-1])
        elif part[0] == "\\":
            pattern.append(part[1:])
        elif part.startswith("[$"):
            pattern.append(part[2:-1].partition("-")[0])
        elif part == "0" or (len(part) == 1 and part in _BARE):
            pattern.append(part)
        elif part[0] not in "_*" and not re.fullmatch(r"\[[A-Z][a-z]+\d*\]", part):
            only = False
    whole = tuple(part for part in pattern if part)
    literal = " ".join(" ".join(part for part in whole if part != "0").split())
    if only and "0" in whole:
        return literal or (" " if set(whole) > {"0"} else ""), whole
    # A bare minus or a slash says nothing; a unit or a currency does.
    return (literal if any(c.isalnum() or c in SIGNS for c in literal) else ""), None


def _checked_zip(stream: BinaryIO, name: str) -> zipfile.ZipFile:
    stream.seek(0)
    if stream.read(4) == OLD_OFFICE:
        raise _old_office(stream, name)
    stream.seek(0)
    try:
        found = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError) as error:
        raise InputRefused(
            f"{name} is no sound workbook: {error}.", code="E_WORKBOOK", hint="Save it again."
        ) from None
    members = found.infolist()
    total = sum(m.file_size for m in members)
    packed = max(1, sum(m.compress_size for m in members))
    if len(members) > MOST_MEMBERS:
        words = f"has {len(members)} parts; at most {MOST_MEMBERS} are taken"
    elif total > MOST_BYTES:
        words = f"unpacks to {total >> 20} MiB; at most {MOST_BYTES >> 20} are taken"
    elif total >= FREE_BYTES and total > LARGEST_RATIO * packed:
        words = f"unpacks to more than {LARGEST_RATIO} times its size"
    elif any(m.flag_bits & 1 for m in members):
        raise InputRefused(
            f"{name} is protected by a password.", code="E_ENCRYPTED",
            hint="Save it without a password.",
        )  # fmt: skip
    else:
        return found
    raise InputRefused(f"{name} {words}.", code="E_BOMB", hint="Save the sheet as CSV.")


def _old_office(stream: BinaryIO, name: str) -> InputRefused:
    """An encrypted workbook is wrapped into the container of the old formats."""
    rest = b""
    stream.seek(0)
    while data := stream.read(1 << 20):
        if _ENCRYPTED in rest + data:
            return InputRefused(
                f"{name} is protected by a password.", code="E_ENCRYPTED",
                hint="Open it in a spreadsheet and save it without a password.",
            )  # fmt: skip
        rest = data[-len(_ENCRYPTED) :]
    return InputRefused(
        f"{name} is an old Office document such as XLS, not an XLSX workbook.",
        code="E_SIGNATURE", hint="Open it in a spreadsheet and save it as .xlsx or CSV.",
    )  # fmt: skip
