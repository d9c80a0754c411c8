"""How CSV files are written: plainly, or as the spreadsheet programs of a country open them."""

from __future__ import annotations

from attrs import frozen

# Languages in which numbers have a decimal comma (Unicode CLDR 46, numbers.xml). Where it is a comma,
# spreadsheet programs delimit by semicolons (Microsoft, list separator of the regional settings).
_COMMA = frozenset(
    "af az be bg bs ca cs da de el es et eu fi fo fr gl hr hu hy id is it ka kk ky lt lv mk nb nl nn no pl "
    "pt ro ru sk sl sq sr sv tr uk uz vi".split()
)
# Regions of these languages with a point.
_POINT = frozenset(
    "de-CH de-LI it-CH es-MX es-US es-GT es-HN es-NI es-PA es-PE es-PR es-SV es-DO es-CU".split()
)
# With a point, and semicolons all the same.
_SEMICOLONS = frozenset("de-CH de-LI it-CH".split())
# Regions of other languages with a comma.
_COMMA_REGIONS = frozenset(("en-ZA",))


@frozen(kw_only=True)
class CsvForm:
    """How a CSV file is written.

    Attributes:
        delimiter: between cells.
        decimal: sign in numbers and amounts.
        mark: whether the file begins with the byte order mark of UTF-8, without which spreadsheet
            programs take it for the encoding of their country.
    """

    delimiter: str = ","
    decimal: str = "."
    mark: bool = False


PLAIN = CsvForm()
TABS = CsvForm(delimiter="\t")


def spreadsheet_form(locale: str) -> CsvForm:
    """What spreadsheet programs open without asking, where a locale is set.

    Args:
        locale: a language tag such as ``de``, ``de-CH`` or ``pt_BR``; another language than those
            known has a decimal point and commas.

    Example:
        >>> spreadsheet_form("de-AT")
        CsvForm(delimiter=';', decimal=',', mark=True)
    """
    language, _, rest = locale.replace("_", "-").partition("-")
    region = rest.rpartition("-")[2].upper()
    tag = f"{language.lower()}-{region}" if region else language.lower()
    comma = tag in _COMMA_REGIONS or (language.lower() in _COMMA and tag not in _POINT)
    semicolons = comma or tag in _SEMICOLONS
    return CsvForm(
        delimiter=";" if semicolons else ",", decimal="," if comma else ".", mark=True
    )  # fmt: skip
