"""Whether two given names can be those of one person: nicknames, initials, spelling."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from .normalise import is_han

# Shorter beginnings are shared by too many names: Al, Jo, Ma.
LEAST_PREFIX = 3
# In a name of four letters one other letter usually makes another name: Lena and Lina.
LEAST_MISSPELT = 5
# What is written in two ways and sounds the same, replaced one after the other.
_SOUNDS_ALIKE = (
    ("ae", "a"), ("oe", "o"), ("ue", "u"), ("ph", "f"), ("th", "t"), ("ck", "k"), ("ch", "k"),
    ("c", "k"), ("q", "k"), ("y", "i"), ("j", "i"), ("w", "v"), ("z", "s"), ("h", ""),
)  # fmt: skip
# Endings that make a man's name a woman's: Paul and Paula, Mario and Maria, Julius and Julia.
_MALE, _FEMALE = (
    ("", "o", "i", "us", "os", "as"),
    ("a", "e", "ia", "ina", "ine", "ette", "la", "lle"),
)


def may_be_one(left: str, right: str) -> bool:
    """Whether two normalised given names may be those of one person.

    They may where each name of the shorter one has its like in the longer one: the same name, its
    initial, a nickname, its beginning or another spelling of it.

    Example:
        >>> may_be_one("bob", "robert"), may_be_one("a", "anna maria"), may_be_one("paul", "paula")
        (True, True, False)
    """
    if left.replace(" ", "") == right.replace(" ", ""):
        return True
    short, long = sorted((left.split(), right.split()), key=len)
    open_names = list(long)
    # Whole names first, so that the initial of "a anna" does not take the place of "anna".
    for name in sorted(short, key=len, reverse=True):
        like = next((other for other in open_names if _alike(name, other)), None)
        if like is None:
            return False
        open_names.remove(like)
    return True


def _alike(left: str, right: str) -> bool:
    if left == right:
        return True
    if is_han(left) or is_han(right):
        return False
    short, long = sorted((left, right), key=len)
    if len(short) == 1:
        return long.startswith(short)
    forms = _forms()
    if left in forms and right in forms:
        return bool(forms[left] & forms[right])
    if _is_male_and_female(left, right):
        return False
    if len(short) >= LEAST_PREFIX and long.startswith(short):
        return True
    return _plain_sound(left) == _plain_sound(right) or _is_misspelt(short, long)


def _is_male_and_female(left: str, right: str) -> bool:
    def stems(name: str, endings: tuple[str, ...]) -> set[str]:
        return {
            name.removesuffix(e) for e in endings if name.endswith(e) and len(name) - len(e) > 2
        }

    return bool(
        stems(left, _MALE) & stems(right, _FEMALE) or stems(right, _MALE) & stems(left, _FEMALE)
    )


def _is_misspelt(short: str, long: str) -> bool:
    """One letter wrong or missing in a name of five, two in one of nine; never the first."""
    if short[0] != long[0]:
        return False
    if len(long) < LEAST_MISSPELT:
        # Of short names only swapped letters: Lily and Liyl.
        return sorted(short) == sorted(long) and distance(short, long) == 1
    return distance(short, long) <= (2 if len(long) >= 9 else 1)


def _plain_sound(name: str) -> str:
    for written, plain in _SOUNDS_ALIKE:
        name = name.replace(written, plain)
    return "".join(c for c, before in zip(name, " " + name, strict=False) if c != before)


def distance(left: str, right: str) -> int:
    """How many letters are wrong, missing, too many or swapped with their neighbour."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        older, before, row = before, row, [i]
        for j, b in enumerate(right, 1):
            row.append(min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b)))
            if i > 1 and j > 1 and (a, b) == (right[j - 2], left[i - 2]):
                row[j] = min(row[j], older[j - 2] + 1)
    return row[-1]


@cache
def _forms() -> dict[str, frozenset[int]]:
    """The lines of ``given_names.toml`` in which each name stands."""
    lines = tomllib.loads(files(__package__).joinpath("given_names.toml").read_text("utf-8"))[
        "forms"
    ]
    found: dict[str, set[int]] = {}
    for position, line in enumerate(lines):
        for name in line.split():
            found.setdefault(name, set()).add(position)
    return {name: frozenset(positions) for name, positions in found.items()}
