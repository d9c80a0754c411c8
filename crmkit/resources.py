"""Files that ship inside a plugin's package."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any


def resource_text(package: str, path: str) -> str:
    """The text of ``path`` (with forward slashes) inside ``package``, as UTF-8.

    Raises:
        FileNotFoundError: if the package does not hold it.
    """
    return files(package).joinpath(path).read_text(encoding="utf-8")


def resource_json(package: str, path: str) -> Any:
    """The JSON document at ``path`` inside ``package``.

    Raises:
        FileNotFoundError: if the package does not hold it.
        ValueError: if it is not JSON.
    """
    return json.loads(resource_text(package, path))
