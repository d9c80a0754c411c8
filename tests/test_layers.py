"""Imports point down only, plugins see public names only, and start-up stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "crmkit"

# Lowest first. A room may import from its own layer's own room and from every layer below; rooms
# that share a layer do not know each other, but for the pairs in SAME_LAYER.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("errors", "durable", "private", "progress"),
    ("entities", "declarations"),
    ("columns",),
    ("settings", "resources", "hookspecs", "hosting", "policy"),
    ("survival",),
    ("store", "warehouse"),
    ("intake", "analysis", "access"),
    ("learning",),
    ("builtin", "present"),
    ("workspace",),
    # The child of `plugin check` tries hooks in an open workspace.
    ("cycle", "sandbox"),
    ("cli", "testing"),
)
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
SAME_LAYER = {
    ("declarations", "entities"),
    ("hosting", "hookspecs"),
    ("hosting", "settings"),
    ("hosting", "resources"),
    # The snapshot is read from the store.
    ("warehouse", "store"),
}
# `crmkit/__init__.py` is the public face: it may name everything, lazily, and nothing imports more of
# it than its public names.
PUBLIC_FACE = "__init__"
PUBLIC_NAMES = {"API", "__version__", "hookimpl", "init", "open", "resource_json", "resource_text"}

# What a plugin may import of crmkit. `crmkit.testing` is for its tests.
PLUGIN_MAY_IMPORT = ("crmkit", "crmkit.columns", "crmkit.declarations", "crmkit.entities", "crmkit.errors", "crmkit.hookspecs", "crmkit.learning", "crmkit.survival")  # fmt: skip
PLUGINS = ("telecom", "hotel", "delivery", "banking")

HEAVY = (
    "sqlalchemy", "alembic", "duckdb", "pyarrow", "rich", "jsonschema", "jsonschema_rs", "sqlglot",
    "numpy", "sklearn", "scipy", "pandas", "altair", "lifelines", "psycopg", "rapidfuzz", "re2",
    # Classes by the dozen, which cost as much as all of click.
    "crmkit.entities.fields", "crmkit.entities.customer", "crmkit.entities.record",
)  # fmt: skip


class _Imports(ast.NodeVisitor):
    """Every module that a file imports, also inside functions, but not for type checking only."""

    def __init__(self, package: tuple[str, ...]) -> None:
        self.package, self.found = package, []

    def visit_If(self, node: ast.If) -> None:
        if "TYPE_CHECKING" in ast.unparse(node.test):
            for other in node.orelse:
                self.visit(other)
        else:
            self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        self.found += [(alias.name, None, node.lineno) for alias in node.names]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = list(self.package[: len(self.package) - node.level + 1]) if node.level else []
        module = ".".join([*base, *([node.module] if node.module else [])])
        self.found += [(module, alias.name, node.lineno) for alias in node.names]


def imports_of(path: Path, root: Path) -> list[tuple[str, str | None, int]]:
    """``(module, name or None, line)`` of every import in a file under the folder ``root``."""
    visitor = _Imports(path.relative_to(root).parent.parts)
    visitor.visit(ast.parse(path.read_text(encoding="utf-8")))
    return visitor.found


def rooms_imported(path: Path, root: Path = ROOT) -> Iterator[tuple[str, int]]:
    """The rooms of crmkit that a file imports, with the line."""
    for module, name, line in imports_of(path, root):
        parts = module.split(".")
        if parts[0] != "crmkit":
            continue
        if len(parts) > 1:
            yield parts[1], line
        elif name in LEVEL:
            yield name, line
        else:
            yield PUBLIC_FACE, line


def layer_faults(path: Path, root: Path = ROOT) -> list[str]:
    """Every import of this file that points up or across, one sentence each."""
    inside = path.relative_to(root / "crmkit").parts
    room = inside[0].removesuffix(".py")
    where = path.relative_to(root)
    if room == PUBLIC_FACE:
        return []
    if room not in LEVEL:
        return [f"{where} is in no layer: place {room!r} in LAYERS"]
    out = []
    for target, line in rooms_imported(path, root):
        if target in (room, PUBLIC_FACE):
            continue
        if target not in LEVEL:
            out.append(f"{where}:{line} imports {target!r}, which is in no layer")
        elif LEVEL[target] > LEVEL[room]:
            out.append(f"{where}:{line}: {room} imports {target}, which is above it")
        elif LEVEL[target] == LEVEL[room] and (room, target) not in SAME_LAYER:
            out.append(f"{where}:{line}: {room} imports {target}, its neighbour")
    return out


def plugin_faults(path: Path, root: Path, package: str) -> list[str]:
    """Every import of a plugin's file that is neither public, nor its own, nor a library."""
    out = []
    for module, name, line in imports_of(path, root):
        top = module.split(".")[0]
        where = f"{path.relative_to(root)}:{line}"
        if top.startswith("crmkit_") and top != package:
            out.append(f"{where} imports another plugin, {top}")
        if top != "crmkit":
            continue
        if module == "crmkit" and name not in {
            *PUBLIC_NAMES,
            "columns",
            "declarations",
            "entities",
            "errors",
            "learning",
            "survival",
            None,
        }:
            out.append(f"{where} imports {name} from crmkit, which is not public")
        elif not any(module == m or module.startswith(f"{m}.") for m in PLUGIN_MAY_IMPORT[1:]) and (
            module != "crmkit"
        ):
            out.append(f"{where} imports {module}, which is not public")
    return out


def test_every_import_points_down():
    faults = [fault for path in sorted(PACKAGE.rglob("*.py")) for fault in layer_faults(path)]
    assert not faults, "\n".join(faults)


def test_every_room_that_the_layers_name_exists():
    rooms = {
        p.name.removesuffix(".py") for p in PACKAGE.iterdir() if p.suffix == ".py" or p.is_dir()
    }
    # The policy arrives with the access issue; its place is kept.
    assert set(LEVEL) - rooms <= {"policy"}


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_plugin_imports_public_names_only(plugin):
    root = ROOT / "plugins" / plugin
    package = f"crmkit_{plugin}"
    files = sorted((root / package).rglob("*.py"))
    assert files
    faults = [fault for path in files for fault in plugin_faults(path, root, package)]
    assert not faults, "\n".join(faults)


def test_built_ins_are_written_on_public_names():
    """If a built-in needs a private door, the hook is missing."""
    faults = []
    for path in sorted((PACKAGE / "builtin").rglob("*.py")):
        for module, _name, line in imports_of(path, ROOT):
            parts = module.split(".")
            if (
                parts[0] == "crmkit"
                and len(parts) > 1
                and (
                    parts[1]
                    not in (
                        "builtin",
                        "columns",
                        "declarations",
                        "entities",
                        "errors",
                        "hookspecs",
                        "resources",
                        "survival",
                    )
                )
            ):
                faults.append(f"{path.relative_to(ROOT)}:{line} imports {module}")
    assert not faults, "\n".join(faults)


def test_an_import_upwards_is_seen_even_inside_a_function(tmp_path):
    folder = tmp_path / "crmkit" / "store"
    folder.mkdir(parents=True)
    file = folder / "bad.py"
    file.write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from ..workspace import Crm\n"
        "from ..errors import Busy\n"
        "def f():\n    from ..cli import main\n"
        "    from .. import analysis\n"
        "    from crmkit.warehouse import x\n"
    )
    assert layer_faults(file, tmp_path) == [
        "crmkit/store/bad.py:6: store imports cli, which is above it",
        "crmkit/store/bad.py:7: store imports analysis, which is above it",
        "crmkit/store/bad.py:8: store imports warehouse, its neighbour",
    ]


def test_a_plugin_that_opens_a_private_door_is_seen(tmp_path):
    folder = tmp_path / "crmkit_bad"
    folder.mkdir()
    file = folder / "bad.py"
    file.write_text(
        "from crmkit import hookimpl\n"
        "from crmkit.entities.fields import FieldType\n"
        "from crmkit.store import tables\n"
        "import crmkit_other\n"
        "from crmkit import workspace\n"
        "from . import rules\n"
    )
    assert plugin_faults(file, tmp_path, "crmkit_bad") == [
        "crmkit_bad/bad.py:3 imports crmkit.store, which is not public",
        "crmkit_bad/bad.py:4 imports another plugin, crmkit_other",
        "crmkit_bad/bad.py:5 imports workspace from crmkit, which is not public",
    ]


@pytest.mark.parametrize("code", [
    "import crmkit",
    "import crmkit.cli.main",
    "from crmkit.cli.main import main; main(['--version'])",
    "from crmkit.cli.main import main; main(['--help'])",
    "from crmkit.cli.main import main; main(['plugin', 'list'])",
])  # fmt: skip
def test_start_up_imports_nothing_heavy(code, tmp_path):
    """Start-up of the command line is a promise; one heavy import breaks it (design section 7)."""
    found = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint('loaded:', *sorted(sys.modules))"],
        capture_output=True, text=True, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    loaded = found.stdout.rpartition("loaded:")[2].split()
    assert "crmkit" in loaded
    assert [name for name in loaded if name in HEAVY] == []
