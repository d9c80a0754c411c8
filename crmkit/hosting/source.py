"""The hooks of a plugin as its source text shows them, for plugins that were never checked."""

from __future__ import annotations

import ast
from pathlib import Path

from .manifest import Manifest


def hooks_in_source(manifest: Manifest) -> tuple[str, ...]:
    """Names of functions marked ``@hookimpl`` in the module that the entry point names, sorted.

    The text is parsed, never run. Hooks that are made in another way, or a module that cannot be
    read or parsed, give none; a check finds them all.
    """
    path = _module_file(manifest)
    if path is None:
        return ()
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return ()
    marked = (
        node.name
        for node in tree.body
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and any(_is_mark(decorator) for decorator in node.decorator_list)
    )
    return tuple(sorted(marked))


def _module_file(manifest: Manifest) -> Path | None:
    files = manifest.files
    if files is None or files.suffix == ".py":
        return files
    dotted = manifest.module.partition(":")[0].strip()
    prefix = "crmkit.builtin." if manifest.builtin else ""
    _, *inner = dotted.removeprefix(prefix).split(".")
    module = files.joinpath(*inner)
    return module / "__init__.py" if module.is_dir() else module.with_suffix(".py")


def _is_mark(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        node = node.func
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return name == "hookimpl"
