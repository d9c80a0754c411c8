"""Numbers of postal items: the check digit of UPU standard S10 (the brief, section 8, field 1).

A number of S10 has two letters of the service, eight digits, a check digit and the two letters of the
country, as ``RR473124829GB``. Numbers of couriers may look so by chance, therefore only those of
services that are assigned for use between countries are judged.
"""

from __future__ import annotations

import re

# Parcels, EMS, e-commerce parcels, express, M bags, business reply, registered, untracked and insured
# letters. What begins otherwise is for use within a country or by agreement, or not assigned.
SERVICES = "CEHLMQRUV"
WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
_S10 = re.compile(rf"[{SERVICES}][A-Z](\d{{8}})(\d)[A-Z]{{2}}")


def s10_check_digit(digits: str) -> int:
    """The check digit of the eight digits of a serial number.

    Example:
        >>> s10_check_digit("47312482")
        9
    """
    total = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, digits, strict=True))
    return {10: 0, 11: 5}.get(11 - total % 11, 11 - total % 11)


def wrong_check_digit(number: str) -> int | None:
    """What the check digit of a postal number ought to be; None if it is right, or the number is none.

    Blanks and case do not matter, as people write ``RR 473 124 829 GB``.
    """
    found = _S10.fullmatch(number.replace(" ", "").upper())
    if found is None:
        return None
    expected = s10_check_digit(found[1])
    return None if expected == int(found[2]) else expected
