"""How Chinese names sound: 王小明, Wang Xiaoming, WANG XIAO MING and Xiaoming Wang are one.

Sounds are Hanyu Pinyin without tones and blanks. Spellings of other kinds (Wade-Giles, Cantonese,
Hokkien) sound differently and are not taken for it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from ...entities.checks import compiled
from .normalise import is_han, plain

# Characters that are read otherwise as a surname than as a word.
_SURNAME_READINGS = {
    "单": "shan", "單": "shan", "曾": "zeng", "仇": "qiu", "解": "xie", "查": "zha", "朴": "piao",
    "区": "ou", "區": "ou", "盖": "ge", "蓋": "ge", "缪": "miao", "繆": "miao", "乐": "yue", "樂": "yue",
    "冼": "xian", "种": "chong", "秘": "bi", "繁": "po", "员": "yun", "覃": "qin", "尉迟": "yuchi",
    "长孙": "zhangsun", "長孫": "zhangsun", "万俟": "moqi",
}  # fmt: skip
# The hundred most common surnames, which 85 of 100 people have (Ministry of Public Security, 2007).
_SURNAMES = (
    "王李张刘陈杨黄赵周吴徐孙朱马胡郭林何高梁郑罗宋谢唐韩曹许邓萧冯曾程蔡彭潘袁于董余苏叶吕魏蒋"
    "田杜丁沈姜范江傅钟卢汪戴崔任陆廖姚方金邱夏谭韦贾邹石熊孟秦阎薛侯雷白龙段郝孔邵史毛常万顾赖武"
    "康贺严尹钱施牛洪龚"
)
_SYLLABLE_TONES = str.maketrans("āáǎàēéěèōóǒòīíǐìūúǔùüǖǘǚǜńňǹḿ", "aaaaeeeeooooiiiiuuuuuuuuunnnm")


def has_pinyin() -> bool:
    """Whether the library of the extra ``dedupe`` is installed."""
    return _library() is not None


def sound(part: str, *, family: bool) -> str | None:
    """A given or family name as it sounds; None for what is no Chinese name.

    Args:
        part: the normalised part, in characters or in Latin letters.
        family: whether it is the family name, whose characters may be read otherwise.

    Example:
        >>> sound("小明", family=False), sound("xiao ming", family=False), sound("john", family=False)
        ('xiaoming', 'xiaoming', None)
    """
    library = _library()
    if library is None:
        return None
    if is_han(part):
        read = _SURNAME_READINGS.get(part) if family else None
        return _bare(read or "".join(library.lazy_pinyin(part, errors="ignore"))) or None
    found = _bare(part.replace(" ", ""))
    return found if _spoken().fullmatch(found) else None


def split_latin(text: str) -> tuple[str, str] | None:
    """Given and family name of a Chinese name in Latin letters whose first word is the family name.

    None where it is no such name, and where the last word may be the family name as well.

    Example:
        >>> split_latin("WANG XIAO MING"), split_latin("Xiaoming Wang")
        (('xiao ming', 'wang'), None)
    """
    first, *rest = plain(text).split() or [""]
    if not rest or "," in text or any(sound(word, family=False) is None for word in (first, *rest)):
        return None
    surnames = _surnames()
    if _bare(first) in surnames and _bare(rest[-1]) not in surnames:
        return " ".join(rest), first
    return None


def _bare(text: str) -> str:
    """Without tones; ü is written v, yu or u."""
    return (
        text.translate(_SYLLABLE_TONES).replace("v", "u").replace("lyu", "lu").replace("nyu", "nu")
    )


@cache
def _surnames() -> frozenset[str]:
    return frozenset(filter(None, (sound(char, family=True) for char in _SURNAMES)))


@cache
def _spoken() -> Any:
    """What consists of syllables of the language; on RE2, since names can be cut in many ways."""
    from pypinyin.pinyin_dict import pinyin_dict

    syllables = {_bare(s) for said in pinyin_dict.values() for s in said.split(",")}
    longest = sorted(filter(str.isalpha, syllables), key=len, reverse=True)
    return compiled(f"(?:{'|'.join(longest)})+")


@cache
def _library() -> Any:
    """The library, or None. Lazy: its tables take a quarter of a second to load."""
    try:
        import pypinyin
    except ImportError:
        return None
    return pypinyin
