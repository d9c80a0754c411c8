"""SQL texts that are put together from files: several statements begin alike."""

from __future__ import annotations

from crmkit import resource_text


def composed(*files: tuple[str, str]) -> str:
    """One statement from the common table expressions of files, the last of which ends with the SELECT.

    Args:
        files: (package, name of the file without its ending). All but the last hold one or more
            expressions, separated by commas; the last begins with its own, without ``WITH``, or with
            the SELECT.
    """
    texts = [resource_text(package, f"{name}.sql").strip() for package, name in files]
    return "WITH\n" + "\n,\n".join(texts[:-1]) + "\n" + texts[-1] + "\n"
