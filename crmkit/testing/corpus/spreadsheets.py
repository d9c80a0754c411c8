"""Items 33 to 44, 14 and 32: workbooks.

They are written here part by part, as no library writes the broken ones.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape

from .case import Case, profile

XLSX = profile('format = "xlsx"')
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
# Styles: 0 plain, 1 date, 2 five digits, 3 date and time, 4 an amount in red; with texts: 5 a letter and
# five digits, 6 the code of a country, 7 a currency, 8 a unit that has letters of dates, 9 a number in parts.
_STYLES = (
    f'{_HEAD}<styleSheet xmlns="{_MAIN}"><numFmts count="8">'
    '<numFmt numFmtId="164" formatCode="00000"/><numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/>'
    '<numFmt numFmtId="166" formatCode="#,##0.00;[Red]\\-#,##0.00"/>'
    '<numFmt numFmtId="167" formatCode="&quot;K-&quot;00000"/><numFmt numFmtId="168" formatCode="&quot;+49 &quot;0"/>'
    '<numFmt numFmtId="169" formatCode="#,##0.00\\ [$€-407]"/><numFmt numFmtId="170" formatCode="General&quot; days; h&quot;"/>'
    '<numFmt numFmtId="171" formatCode="000-00-0000"/></numFmts>'
    '<cellXfs count="10"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/>'
    '<xf numFmtId="165"/><xf numFmtId="166"/><xf numFmtId="167"/><xf numFmtId="168"/><xf numFmtId="169"/>'
    '<xf numFmtId="170"/><xf numFmtId="171"/></cellXfs></styleSheet>'
)  # fmt: skip


def text(value: str) -> str:
    """The inside of a cell that holds text."""
    return f't="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is>'


def number(value: object, style: int = 0) -> str:
    """The inside of a cell that holds a number."""
    return f's="{style}"><v>{value}</v>'


def sheet(
    *rows: tuple[str, ...], after: str = "", attributes: Mapping[int, str] | None = None
) -> str:
    """A sheet whose rows are given as the insides of their cells; an empty one is left out."""
    out = [f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>']
    for r, row in enumerate(rows, 1):
        cells = "".join(
            f'<c r="{chr(64 + c)}{r}" {cell}</c>' for c, cell in enumerate(row, 1) if cell
        )
        out.append(f'<row r="{r}" {(attributes or {}).get(r, "")}>{cells}</row>')
    return "".join(out) + f"</sheetData>{after}</worksheet>"


def workbook(
    *sheets: str, names: tuple[str, ...] = ("Sheet1", "Sheet2"), states: tuple[str, ...] = ("", ""),
    settings: str = "", more: Mapping[str, bytes] | None = None,
) -> bytes:  # fmt: skip
    """The bytes of a workbook."""
    listed = "".join(
        f'<sheet name="{names[i]}" sheetId="{i + 1}" {states[i]} r:id="r{i + 1}"/>'
        for i in range(len(sheets))
    )
    links = "".join(
        f'<Relationship Id="r{i + 1}" Type="{_OFFICE}/worksheet" Target="worksheets/s{i + 1}.xml"/>'
        for i in range(len(sheets))
    )
    parts = {
        "_rels/.rels": f'{_HEAD}<Relationships xmlns="{_PACKAGE}"><Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><workbookPr {settings}/><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{_HEAD}<Relationships xmlns="{_PACKAGE}">{links}</Relationships>',
        "xl/styles.xml": _STYLES,
        **{f"xl/worksheets/s{i}.xml": found for i, found in enumerate(sheets, 1)},
    }  # fmt: skip
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, part in parts.items():
            file.writestr(name, part)
        for name, data in (more or {}).items():
            file.writestr(name, data)
    return out.getvalue()


_NAMES = (text("id"), text("name"))
_ROWS = ((text("1"), text("a")), (number(2), text("b")))
_TWO = {"1": "a", "2": "b"}


def _book(name: str, item: int, content: bytes | Callable[[], bytes], **more: Any) -> Case:
    return Case(
        name=name, items=(item,), content=content, file=more.pop("file", "rows.xlsx"),
        profile=more.pop("profile", XLSX), **more,
    )  # fmt: skip


def _cell(
    name: str, item: int, field: str, cell: str, stored: Any = None, code: str = "", **more: Any
) -> Case:
    """One cell of one field between two sound rows."""
    header = (*_NAMES, text(field))
    content = workbook(
        sheet(header, (text("1"), text("a"), cell), (text("2"), text("b"))),
        settings=more.pop("settings", ""),
    )
    kept: dict[str, Any] = {"2": None}
    return _book(
        name, item, content, profile=profile('format = "xlsx"\n' + more.pop("source", ""), fields=f'{field} = "{field}"'),
        column=more.pop("column", field), rejects=((2, code),) if code else (),
        stored=kept if code else {"1": stored, **kept}, **more,
    )  # fmt: skip


def _refused(name: str, item: int, content: bytes | Callable[[], bytes], code: str) -> Case:
    return _book(name, item, content, refused=code)


def _zip(parts: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in parts.items():
            file.writestr(name, data)
    return out.getvalue()


def _bomb() -> bytes:
    return workbook(sheet(_NAMES, *_ROWS), more={"xl/media/x.bin": b"\0" * (213 << 20)})


def _with_entity(declared: str) -> bytes:
    found = sheet(_NAMES, (text("1"), 't="inlineStr"><is><t>&x;</t></is>'))
    return workbook(found.replace(_HEAD, f"{_HEAD}<!DOCTYPE worksheet [{declared}]>"))


def _damaged() -> bytes:
    """A byte of the sheet's packed data is another one."""
    whole = bytearray(workbook(sheet(_NAMES, *_ROWS)))
    at = whole.index(b"xl/worksheets/s1.xml") + len(b"xl/worksheets/s1.xml") + 60
    whole[at] ^= 0xFF
    return bytes(whole)


_FORMULA = 's="0"><f>B2&amp;C2</f>'
_SHEET = sheet(_NAMES, *_ROWS)

CASES: tuple[Case, ...] = (
    _book("workbook", 14, workbook(_SHEET), stored=_TWO),
    _book("workbook named xls", 14, workbook(_SHEET), file="rows.xls", stored=_TWO),
    Case(
        name="workbook read as csv", items=(14,), content=workbook(_SHEET), refused="E_SIGNATURE",
        profile=profile(), remark='set format = "xlsx"',
    ),
    # The rejects of a workbook are a CSV file, which the same profile reads.
    _book("csv for a profile of workbooks", 14, b"id,name\n1,a\n2,b\n", file="rows.csv", stored=_TWO),
    _refused("old workbook for a profile of workbooks", 14, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "E_SIGNATURE"),
    _refused("picture for a profile of workbooks", 13, b"\x89PNG\r\n\x1a\n\0\0", "E_SIGNATURE"),
    _refused("archive of another kind", 14, _zip({"a.txt": b"x"}), "E_WORKBOOK"),
    _refused("document of another kind", 14, _zip({"_rels/.rels": b"<Relationships/>"}), "E_WORKBOOK"),
    _refused("archive cut off", 14, workbook(_SHEET)[:-40], "E_WORKBOOK"),
    _refused("damaged sheet", 14, _damaged(), "E_WORKBOOK"),
    _refused("sheet that is no xml", 14, workbook("<worksheet><sheetData>"), "E_WORKBOOK"),
    _refused("workbook without its sheet", 14, workbook(_SHEET).replace(b"s1.xml", b"s9.xml"), "E_WORKBOOK"),
    _refused("213 MB unpacked", 33, _bomb, "E_BOMB"),
    _refused("more than 512 MB unpacked", 33, lambda: workbook(_SHEET, more={f"x{i}": b"\0" * (64 << 20) for i in range(9)}), "E_BOMB"),
    _refused("1001 members", 32, lambda: workbook(_SHEET, more={f"x{i}": b"" for i in range(1_001)}), "E_BOMB"),
    _refused("entity bomb", 34, _with_entity('<!ENTITY a "aaaaaaaaaa"><!ENTITY x "&a;&a;&a;&a;">'), "E_BOMB"),
    _refused("external entity", 34, _with_entity('<!ENTITY x SYSTEM "file:///etc/hostname">'), "E_BOMB"),
    _refused("document type alone", 34, _with_entity(""), "E_BOMB"),
    _refused("encrypted workbook", 35, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 1024 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 64, "E_ENCRYPTED"),
    _book("macro workbook", 36, workbook(_SHEET, more={"xl/vbaProject.bin": b"macro"}), file="rows.xlsm", stored=_TWO),
    _cell("formula with its value", 37, "note", _FORMULA.replace("s=", 't="str" s=') + "<v>ab</v>", "ab", remark="1 formulas"),
    _cell("formula with an empty text", 37, "note", _FORMULA.replace("s=", 't="str" s=') + "<v></v>", None),
    _cell("formula without value", 37, "note", _FORMULA, code="E_FORMULA"),
    _cell("formula with an empty value", 37, "ratio", _FORMULA + "<v></v>", code="E_FORMULA"),
    _cell("not available", 38, "note", 't="e"><v>#N/A</v>', code="E_CELL_ERROR"),
    _cell("division by zero", 38, "ratio", 't="e"><f>1/0</f><v>#DIV/0!</v>', code="E_CELL_ERROR"),
    _book(
        "error in a column that is not read", 38, stored={"1": "a"},
        content=workbook(sheet((*_NAMES, text("x")), (text("1"), text("a"), 't="e"><v>#REF!</v>'))),
    ),
    _cell("error written as text", 38, "note", text("#N/A"), "#N/A"),
    _cell("serial 60", 39, "born_on", number(60, 1), code="E_DATE"),
    _cell("serial 61", 39, "born_on", number(61, 1), "1900-03-01"),
    _cell("serial 59", 39, "born_on", number(59, 1), "1900-02-28"),
    _cell("serial of 2026", 39, "born_on", number(46112, 1), "2026-03-31"),
    _cell("serial of 1904", 39, "born_on", number(44650, 1), "2026-03-31", settings='date1904="1"'),
    _cell("negative serial", 39, "born_on", number(-1, 1), code="E_DATE"),
    _cell("serial beyond 9999", 39, "born_on", number(2958466, 1), code="E_DATE"),
    _cell("instant of a cell", 39, "seen_at", number(46111.4375, 3), "2026-03-30 08:30:00.000000"),
    _cell("time of day without a day", 39, "seen_at", number(0.5, 3), code="E_DATE"),
    _cell("date by a profile with a layout", 40, "born_on", number(46112, 1), "2026-03-31", source='date = "%d/%m/%Y"'),
    _cell("date as text without layout", 40, "born_on", text("03/04/2025"), code="E_TYPE"),
    _cell("date as text with layout", 40, "born_on", text("03/04/2025"), "2025-04-03", source='date = "%d/%m/%Y"'),
    _cell("number in a date column", 40, "born_on", number(46112), code="E_TYPE"),
    _cell("leading zeros as text", 41, "note", text("00123"), "00123"),
    _cell("leading zeros by format", 41, "note", number(123, 2), "00123", remark="leading zeros"),
    _cell("long number under a format of zeros", 41, "note", number(1234567, 2), "1234567"),
    _book(
        "keys with a letter by format", 41, workbook(sheet(_NAMES, (number(123, 5), text("a")), (number(1234567, 5), text("b")))),
        stored={"K-00123": "a", "K-1234567": "b"}, remark="column id: the number format shows 'K-' beside numbers; it is read with it",
    ),
    _book(
        "keys in parts by format", 41, workbook(sheet(_NAMES, (number(12345678, 9), text("a")))), stored={"012-34-5678": "a"},
    ),
    _book(
        "phones with a country by format", 41, workbook(sheet((*_NAMES, text("phone")), (text("1"), text("a"), number(301234567, 6)))),
        stored={"1": "a"}, profile=profile('format = "xlsx"', customer='phone = "phone"'), remark="shows '+49' beside numbers; it is read with it",
    ),
    _cell("amount with a currency by format", 42, "fee", number("1234.5", 7), 123450, column="fee_minor", remark="shows '€' beside numbers; only the numbers were read"),
    _cell("count with a unit of letters of dates", 42, "count", number(46112, 8), 46112, remark="shows 'days; h'"),
    _cell("note with a letter and zeros by format", 41, "note", number(123, 5), "00123", remark="only the numbers were read"),
    _cell("19 digits as a number", 42, "note", number("1.380013800012346E+18"), code="E_PRECISION_LOST"),
    _cell("16 digits as a number", 42, "note", number("1234567890123456"), code="E_PRECISION_LOST"),
    _cell("15 digits as a number", 42, "note", number("123456789012345"), "123456789012345"),
    _cell("19 digits as text", 42, "note", text("1380013800012345678"), "1380013800012345678"),
    _cell("amount of a float", 42, "fee", number("19.989999999999998", 4), 1999, column="fee_minor"),
    _cell("amount with the profile's comma", 42, "fee", number("1234.5", 4), 123450, column="fee_minor", source='decimal = ","\nthousands = "."'),
    _cell("boolean cell", 42, "member", 't="b"><v>1</v>', True),
    _book(
        "two sheets", 43, workbook(_SHEET, sheet((text("other"),))), stored=_TWO,
        remark="'Sheet2'",
    ),
    _book(
        "named sheet", 43, workbook(sheet((text("other"),)), _SHEET), stored=_TWO,
        profile=profile('format = "xlsx"\nsheet = "Sheet2"'),
    ),
    _book(
        "sheet that is not there", 43, workbook(_SHEET), refused="E_NOT_FOUND",
        profile=profile('format = "xlsx"\nsheet = "Tabelle1"'),
    ),
    _book(
        "hidden first sheet", 43, workbook(sheet((text("other"),)), _SHEET, states=('state="hidden"', "")),
        stored=_TWO, remark="'Sheet1'",
    ),
    _book("hidden row", 43, workbook(sheet(_NAMES, *_ROWS, attributes={3: 'hidden="1"'})), stored=_TWO, remark="hidden rows"),
    _book(
        "merged cells", 43, workbook(sheet(_NAMES, *_ROWS, after='<mergeCells><mergeCell ref="A2:B2"/></mergeCells>')),
        stored=_TWO, remark="merged",
    ),
    _refused("sheet without rows", 1, workbook(sheet()), "E_EMPTY"),
    _book("sheet of a header", 2, workbook(sheet(_NAMES)), stored={}),
    _refused("sheet with two headers of one name", 21, workbook(sheet((*_NAMES, text("name")))), "E_HEADER"),
    _refused("sheet with a header left out", 23, workbook(sheet((text("id"), "", text("name")))), "E_HEADER"),
    _refused("sheet with a missing column", 24, workbook(sheet((text("id"), text("nom")))), "E_COLUMN_MISSING"),
    _book("blank cells beyond the header", 19, workbook(sheet((*_NAMES, text(" ")), (text("1"), text("a"), text(" ")), (text("2"), text("b")))), stored=_TWO),
    _book("rows of blanks", 15, workbook(sheet((text(" "),), _NAMES, _ROWS[0], (text(" "), text("  ")), _ROWS[1])), stored=_TWO, remark="without any value were left out: 1"),
    _book("title row by profile", 23, workbook(sheet((text("Customers 2026"),), (), _NAMES, *_ROWS)), stored=_TWO, profile=profile('format = "xlsx"\nskip_lines = 1')),
    _book("header by its row", 23, workbook(sheet((text("Customers"), text("2026")), _NAMES, *_ROWS)), stored=_TWO, profile=profile('format = "xlsx"\nheader_row = 2')),
    _book("title row", 23, workbook(sheet((text("Customers 2026"),), (), _NAMES, *_ROWS)), refused="E_COLUMN_MISSING", remark="Line 3 has the columns: set skip_lines = 2"),
    _book("columns given beside a header row", 23, workbook(sheet(_NAMES, *_ROWS)), stored=_TWO, profile=profile('format = "xlsx"\ncolumns = ["id", "name"]'), remark="was not read as a row"),
    _book("value beyond the header", 19, workbook(sheet(_NAMES, *_ROWS, (text("3"), text("c"), text("d")))), rejects=((4, "E_COLUMNS"),), stored=_TWO),
    _book("blank rows between", 15, workbook(sheet(_NAMES, _ROWS[0], (), _ROWS[1])), stored=_TWO),
    _book("nul in a workbook", 11, workbook(sheet(_NAMES, *_ROWS, (text("3"), text("x_x0000_")))), rejects=((4, "E_NUL"),), stored=_TWO),
    _refused("rows out of order", 44, workbook(_SHEET.replace('<row r="3"', '<row r="1"')), "E_WORKBOOK"),
    _book(
        "last row of a sheet", 44, workbook(_SHEET.replace('<row r="3"', '<row r="1048576"').replace('r="A3"', 'r="A1048576"').replace('r="B3"', 'r="B1048576"')),
        stored=_TWO,
    ),
)  # fmt: skip
