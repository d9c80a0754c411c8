"""What crmkit and its plugins install without being asked is under permissive licences."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution

import pytest

PERMISSIVE = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "MIT", "MIT-0", "MIT-CMU",
    "PSF-2.0", "Zlib",
    # Classifiers and free words of packages without an SPDX expression.
    "Apache Software License", "BSD License", "MIT License", "Python Software Foundation License",
    "3-Clause BSD License", "Apache 2.0",
}  # fmt: skip


def needed(root: str) -> dict[str, Distribution]:
    """What a distribution brings along, itself included; extras and other systems' needs aside."""
    found: dict[str, Distribution] = {}
    todo = [root]
    while todo:
        name = re.sub(r"[-_.]+", "-", todo.pop()).lower()
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:
            continue  # for another Python or system: pip has left it out here
        for line in found[name].requires or []:
            requirement, _, condition = line.partition(";")
            if "extra" not in condition:
                todo.append(re.split(r"[^A-Za-z0-9_.-]", requirement.strip())[0])
    return found


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
