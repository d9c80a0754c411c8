"""Grades of the master scale: seven for those who perform, and one for default."""

from __future__ import annotations

# Upper bounds of the PD, each twice the one before from 0.5 % on, so that every grade is one doubling
# of the odds apart (Basel asks for at least seven grades and one for default, CRR Art. 170(1)).
BOUNDS = ((0.005, "A"), (0.01, "B"), (0.02, "C"), (0.04, "D"), (0.08, "E"), (0.16, "F"))
LAST, DEFAULT = "G", "H"
GRADES = (*(grade for _, grade in BOUNDS), LAST, DEFAULT)
# The least probability of default of a retail exposure (CRR III Art. 163(1)).
FLOOR = 0.0005


def grade_of(pd: float) -> str:
    """The grade of a probability of default between 0 and 1; bounds belong to the worse grade.

    Example:
        >>> [grade_of(pd) for pd in (0.0001, 0.005, 0.03, 0.5)]
        ['A', 'B', 'D', 'G']
    """
    return next((grade for bound, grade in BOUNDS if pd < bound), LAST)
