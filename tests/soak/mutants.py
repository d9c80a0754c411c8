"""Mutants: small changes of the code that the tests must notice.

A mutant changes one comparison, operator, number or word of a module of money, time, import, policy,
rules or scores, and the tests of its room and its plugin run against it in a copy of the tree. One
that passes them has survived: a figure that no test holds, or a change without any effect.

Python is changed through its syntax tree, SQL by its tokens. Conformance suites are left out: they
run whatever a plugin declares and would kill by accident what no test of its own holds.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from attrs import evolve, frozen

# Sources by glob, each with the tests that answer for it, the quickest first.
ROOMS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (
        (
            "crmkit/entities/money.py", "crmkit/entities/asof.py", "crmkit/entities/clocks.py",
            "crmkit/entities/business_time.py",
        ),
        ("tests/entities", "tests/builtin/service", "tests/warehouse/test_visibility.py"),
    ),
    (("crmkit/warehouse/views.py", "crmkit/survival.sql"),
     ("tests/warehouse", "tests/builtin/test_stage_survival.py", "tests/analysis/test_features.py")),
    (
        (
            "crmkit/intake/cells.py", "crmkit/entities/checks.py", "crmkit/intake/values.py",
            "crmkit/intake/keys.py", "crmkit/intake/mapping.py", "crmkit/intake/csv_rows.py",
            "crmkit/intake/plan.py", "crmkit/intake/loading.py", "crmkit/intake/absent.py",
            "crmkit/intake/rejects.py", "crmkit/intake/profile_specs.py",
        ),
        ("tests/intake", "tests/cli/test_batch.py"),
    ),
    (("crmkit/policy.py",), ("tests/test_policy.py", "tests/cli/test_customer.py")),
    (("crmkit/builtin/contact/*.py", "crmkit/builtin/contact/sql/*.sql"),
     ("tests/builtin/contact", "tests/builtin/outreach")),
    (("crmkit/builtin/ledger/*.py",), ("tests/builtin/test_ledger.py", "tests/builtin/test_tiers.py")),
    (("crmkit/builtin/value/*.py", "crmkit/builtin/value/**/*.sql"), ("tests/builtin/value",)),
    (("crmkit/analysis/rule*.py", "crmkit/analysis/conditions.py", "crmkit/analysis/firings.py"),
     ("tests/analysis/test_rules.py", "tests/analysis/test_firings.py",
      "tests/analysis/test_backtests.py")),
    (("crmkit/analysis/scores/*.py",), ("tests/analysis/scores", "tests/analysis/test_scores.py")),
    (("plugins/telecom/crmkit_telecom/rules.py",
      "plugins/telecom/crmkit_telecom/blocks.py", "plugins/telecom/crmkit_telecom/features/*.sql",
      "plugins/telecom/crmkit_telecom/churn/**/*.sql"), ("plugins/telecom/tests",)),
    (("plugins/hotel/crmkit_hotel/preference/*.py", "plugins/hotel/crmkit_hotel/rules.py",
      "plugins/hotel/crmkit_hotel/loyalty.py", "plugins/hotel/crmkit_hotel/preparation.py",
      "plugins/hotel/crmkit_hotel/features/*.sql"), ("plugins/hotel/tests",)),
    (("plugins/delivery/crmkit_delivery/claims.py", "plugins/delivery/crmkit_delivery/prices.py",
      "plugins/delivery/crmkit_delivery/promise.py", "plugins/delivery/crmkit_delivery/status.py",
      "plugins/delivery/crmkit_delivery/rounds.py", "plugins/delivery/crmkit_delivery/costs.py",
      "plugins/delivery/crmkit_delivery/rules.py"), ("plugins/delivery/tests",)),
    (("plugins/banking/crmkit_banking/cards/*.py", "plugins/banking/crmkit_banking/arrears/*.sql",
      "plugins/banking/crmkit_banking/impairment/*.sql", "plugins/banking/crmkit_banking/profit/*.sql",
      "plugins/banking/crmkit_banking/decisions/*.py"), ("plugins/banking/tests",)),
)  # fmt: skip

# Seconds after which tests hang, and while their calls are noted; mutants drawn; tests tried before
# the others; letters of a word that names a file.
LIMIT, SLOWLY = 900, 3600
DRAWN = 300
MOST_FIRST = 40
MIN_WORD = 3

COMPARISONS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}  # fmt: skip
OPERATORS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
NAMES = {"ROUND_HALF_UP": "ROUND_HALF_EVEN", "min": "max", "max": "min", "any": "all", "all": "any"}
SQL = re.compile(r"(?P<text>'(?:[^']|'')*'|--[^\n]*)|(?P<mark><=|>=|<>|<|>)|(?<![\w.$])(?P<number>\d+(?:\.\d+)?)(?![\w.])|\b(?P<word>min|max|greatest|least|AND|OR)\b")  # fmt: skip
SQL_MARKS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "<>": "="}
SQL_WORDS = {
    "min": "max", "max": "min", "greatest": "least", "least": "greatest", "AND": "OR", "OR": "AND",
}  # fmt: skip


@frozen
class Mutant:
    """One change: of ``path``, from byte offset ``begin`` to ``end``, to ``text``.

    Attributes:
        function: the qualified name of the function it stands in, if any.
        tests: what answers for the room.
    """

    path: str
    line: int
    begin: int
    end: int
    before: str
    text: str
    tests: tuple[str, ...]
    function: str | None = None

    @property
    def name(self) -> str:
        """``crmkit/entities/money.py:51 '<' -> '<='``."""
        return f"{self.path}:{self.line} {self.before!r} -> {self.text!r}"

    def applied(self, source: bytes) -> bytes:
        """The source with the change."""
        return source[: self.begin] + self.text.encode() + source[self.end :]


def draw(root: Path, count: int, seed: int = 0) -> list[Mutant]:
    """``count`` of all possible mutants, each as likely as the other, in the order drawn.

    The lots are drawn by what a mutant changes and not by its place, so that the draw stays the same
    for all that a change of the sources leaves as it was.
    """
    lots: dict[str, Mutant] = {}
    alike: Counter[str] = Counter()
    for globs, tests in ROOMS:
        for mutant in _of_room(root, globs, tests):
            change = f"{seed} {mutant.path} {mutant.function} {mutant.before} {mutant.text}"
            alike[change] += 1
            lots[hashlib.sha256(f"{change} {alike[change]}".encode()).hexdigest()] = mutant
    return [lots[lot] for lot in sorted(lots)[:count]]


def _of_room(root: Path, globs: tuple[str, ...], tests: tuple[str, ...]) -> Iterator[Mutant]:
    for path in sorted({path for pattern in globs for path in root.glob(pattern)}):
        source = path.read_bytes()
        changes = _python(source) if path.suffix == ".py" else _sql(source)
        functions = list(_functions(ast.parse(source))) if path.suffix == ".py" else []
        for begin, end, text in changes:
            line = source[:begin].count(b"\n") + 1
            name = path.relative_to(root).as_posix()
            within = [function for first, last, function in functions if first <= line <= last]
            before = source[begin:end].decode()
            yield Mutant(name, line, begin, end, before, text, tests, (within or [None])[-1])


def _functions(tree: ast.AST, outer: str = "") -> Iterator[tuple[int, int, str]]:
    """First and last line and qualified name of each function, an inner one after its outer one."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, node.end_lineno or node.lineno, f"{outer}{node.name}"
            yield from _functions(node, f"{outer}{node.name}.<locals>.")
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{outer}{node.name}.")
        else:
            yield from _functions(node, outer)


def _sql(source: bytes) -> Iterator[tuple[int, int, str]]:
    text = source.decode()
    for match in SQL.finditer(text):
        change = None
        if match["mark"]:
            change = SQL_MARKS[match["mark"]]
        elif match["word"]:
            change = SQL_WORDS[match["word"]]
        elif match["number"]:
            change = _other(match["number"])
        if change is not None:
            begin = len(text[: match.start()].encode())
            yield begin, begin + len(match[0].encode()), change


def _other(number: str) -> str:
    """A number close by: the next whole one, or four fifths."""
    return str(float(number) * 0.8) if "." in number else str(int(number) + 1)


def _python(source: bytes) -> Iterator[tuple[int, int, str]]:
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def span(node: ast.expr) -> tuple[int, int]:
        end_line, end_column = node.end_lineno or 1, node.end_col_offset or 0
        return starts[node.lineno - 1] + node.col_offset, starts[end_line - 1] + end_column

    tree = ast.parse(source)
    skipped = {id(n) for part in ast.walk(tree) for n in _unread(part)}
    for node in ast.walk(tree):
        if id(node) in skipped or not isinstance(node, ast.expr):
            continue
        for changed in _changed(node):
            begin, end = span(node)
            yield begin, end, f"({ast.unparse(changed)})"


def _unread(node: ast.AST) -> Iterator[ast.AST]:
    """What never runs or only describes: annotations, docstrings, texts for people."""
    if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
        yield from ast.walk(node.annotation)
    if isinstance(node, ast.FunctionDef) and node.returns is not None:
        yield from ast.walk(node.returns)
    if isinstance(node, ast.Raise | ast.JoinedStr):
        yield from ast.walk(node)
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        yield from ast.walk(node)


def _changed(node: ast.expr) -> Iterator[ast.expr]:
    """The node with one thing changed, in every way that is tried."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
        operator = COMPARISONS[type(node.ops[0])]()
        yield ast.Compare(node.left, [operator, *node.ops[1:]], node.comparators)
    elif isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        if not isinstance(node.left, ast.Constant | ast.JoinedStr) or not isinstance(
            getattr(node.left, "value", 0), str
        ):
            yield ast.BinOp(node.left, OPERATORS[type(node.op)](), node.right)
    elif isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield ast.BoolOp(other, node.values)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        value = node.value
        yield ast.Constant(value * 0.8 if isinstance(value, float) and value else value + 1)
    elif isinstance(node, ast.Name) and node.id in NAMES and isinstance(node.ctx, ast.Load):
        yield ast.Name(NAMES[node.id])


class Arena:
    """A copy of the tree in which mutants are tried one after another."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.folder = folder
        names = ("crmkit", "plugins", "tests", "docs", "conftest.py", "pyproject.toml", "README.md")
        for name in names:
            source = root / name
            copy = shutil.copytree if source.is_dir() else shutil.copy2
            copy(source, folder / name)  # type: ignore[operator]
        paths = [folder, *sorted((folder / "plugins").iterdir())]
        self._environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "examples"),
        }

    def reached(self, tests: tuple[str, ...]) -> dict[str, list[str]]:
        """By ``path:function`` the tests that call it, the most particular first.

        Raises:
            AssertionError: if the tests fail, so that they could judge nothing.
        """
        out = self.folder / "reach.json"
        noted = {"CRMKIT_REACH": str(out), "CRMKIT_REACH_ROOT": str(self.folder)}
        assert self._run(["-p", "tests.soak.reach", *tests], noted, SLOWLY), (
            f"{tests} fail as they are"
        )
        found: dict[str, list[str]] = json.loads(out.read_text(encoding="utf-8"))
        return found

    def survives(self, mutant: Mutant, first: Sequence[str]) -> bool:
        """Whether the tests of its room pass with the mutant in place; hanging is failing.

        Args:
            first: the tests to try before all others.
        """
        path = self.folder / mutant.path
        source = path.read_bytes()
        path.write_bytes(mutant.applied(source))
        try:
            if first and not self._run(first):
                return False
            return self._run(mutant.tests)
        finally:
            path.write_bytes(source)

    def _run(
        self, arguments: Sequence[str], more: Mapping[str, str] | None = None, seconds: int = LIMIT
    ) -> bool:
        command = [
            sys.executable, "-m", "pytest", "-x", "-q", "-n0", "-p", "no:cacheprovider",
            "-k", "not conformance", *arguments,
        ]  # fmt: skip
        try:
            done = subprocess.run(
                command, cwd=self.folder, env={**self._environment, **(more or {})},
                capture_output=True, timeout=seconds, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return False
        # 5: none of these tests is run at all.
        return done.returncode in (0, 5)


def particular(root: Path, mutant: Mutant, reached: Mapping[str, Sequence[str]]) -> list[str]:
    """The tests most likely to notice the mutant: those that call its function, else of its name."""
    if mutant.function is not None:
        return list(reached.get(f"{mutant.path}:{mutant.function}", ())[:MOST_FIRST])
    words = {part for part in Path(mutant.path).stem.split("_") if len(part) > MIN_WORD}
    files = sorted({path for place in mutant.tests for path in _files(root / place)})
    named = [path for path in files if words & set(path.stem.split("_"))]
    return [path.relative_to(root).as_posix() for path in named]


def _files(place: Path) -> Iterator[Path]:
    return iter([place]) if place.is_file() else place.rglob("test_*.py")


def main() -> None:
    """Tries the drawn mutants of some files against some tests and prints those that survive.

    ``python -m tests.soak.mutants plugins/banking/crmkit_banking/profit plugins/banking/tests/test_profit.py``
    """
    start, *tests = sys.argv[1:]
    root = Path(__file__).parents[2]
    with tempfile.TemporaryDirectory() as folder:
        arena = Arena(root, Path(folder))
        for mutant in draw(root, DRAWN):
            if mutant.path.startswith(start):
                lives = arena.survives(evolve(mutant, tests=tuple(tests)), ())
                print("survives" if lives else "killed  ", mutant.name, flush=True)


if __name__ == "__main__":
    main()
