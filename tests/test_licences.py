"""What crmkit and its plugins install without being asked is under permissive licences."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, distribution

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PERMISSIVE = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "MIT", "MIT-0", "MIT-CMU",
    "PSF-2.0", "Zlib",
    # Classifiers and free words of packages without an SPDX expression.
    "Apache Software License", "BSD License", "MIT License", "Python Software Foundation License",
    "3-Clause BSD License", "Apache 2.0",
}  # fmt: skip


def needed(root: str) -> dict[str, Distribution]:
    """What a distribution brings along here, itself included; what is behind an extra is left out."""
    found: dict[str, Distribution] = {}
    _add(canonicalize_name(root), found)
    return found


def _add(name: str, found: dict[str, Distribution]) -> None:
    if name not in found:
        found[name] = distribution(name)
        for requirement in map(Requirement, found[name].requires or []):
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                _add(canonicalize_name(requirement.name), found)


def licences(one: Distribution) -> set[str]:
    """Every licence that a distribution names: its SPDX expression, else classifiers, else the words."""
    expression = one.metadata.get("License-Expression")
    if expression:
        return {word for word in re.split(r"[\s()]+", expression) if word not in ("AND", "OR", "")}
    classifiers = [
        line.rpartition("::")[2].strip()
        for line in one.metadata.get_all("Classifier") or []
        if line.startswith("License ::")
    ]
    return set(classifiers) or {str(one.metadata.get("License")).strip()}


@pytest.mark.parametrize(
    "root", ["crmkit", "crmkit-telecom", "crmkit-hotel", "crmkit-delivery", "crmkit-banking"]
)
def test_what_is_installed_unasked_is_permissive(root: str) -> None:
    found = needed(root)
    assert len(found) > 5
    strange = {name: said for name, one in found.items() if (said := licences(one) - PERMISSIVE)}
    assert strange == {}
