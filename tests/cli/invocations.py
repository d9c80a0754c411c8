"""Generated invocations of every command: good, careless and hostile words."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click
from attrs import frozen

from crmkit.cli.main import State, cli
from crmkit.workspace import Crm

# The demo takes minutes. The others change which tables there are, and with them what is compared.
LEFT_OUT = frozenset({("demo",), ("plugin", "enable"), ("plugin", "disable")})
# Those that take many seconds in any workspace: only the long run calls them.
LONG = frozenset({("cycle",), ("plugin", "check"), ("report", "publish")})
HOSTILE = (
    "", " ", "-", "--", "0", "-1", "1", "99999999999999999999999", "9223372036854775807",
    "-9223372036854775808", "1e400", "nan", "inf", "-inf", "1.5", "0x10", "1_000", "١٢٣",
    "\udcff", "a\udc80b", "nul\0byte", "\0", "tab\tline\nfeed\r", "\x1b[31mred", "\u202eabc", "é",
    "李雷", "😀", "'", '"', "\\", "%s%n", "{0}", "{a.b}", "$x", "`id`", "; DROP TABLE customer; --",
    "*", "?", "[", "]", "a=b", "=", "a=", "=b", "a.b", ".", "..", "a:b", ":", "a,b", ",", ",,",
    "name", "-name", "core.customer", "core.no-such", "no-such", "customer", "billing:1042",
    "2026-03-31", "2026-02-30", "0001-01-01", "9999-12-31", "2026-03-31T25:00", "2026-03-31T12:00Z",
    "yesterday", "true", "None", "null", "/nonexistent/x", "/proc/self/mem", "/dev/null", "/", "~",
    "../../x", "x" * 5000, "9" * 400, "SELECT 1", "SELECT * FROM customer", "SELECT", "(" * 300,
)  # fmt: skip


@frozen
class World:
    """What good words are drawn from.

    Attributes:
        folder: of a workspace whose state the invocations may read; in it lie ``file.csv``,
            ``folder`` and ``locked``, which cannot be written to by others than root.
        names: names of reports, rules, scores, lists, records, customers and so on.
    """

    folder: Path
    names: tuple[str, ...]


def names_of(crm: Crm) -> tuple[str, ...]:
    """Every name that a workspace declares, and some keys of its rows."""
    catalog = crm.catalog
    declared = [
        *catalog.reports, *catalog.rules, *catalog.segments, *catalog.scores, *catalog.features,
        *catalog.lifecycles, *catalog.record_types, *catalog.interaction_kinds, *catalog.profiles,
    ]  # fmt: skip
    refs = [ref.ref for keys in crm.store.customers.refs([c.id for c in crm.store.customers.list(limit=5)]).values() for ref in keys]  # fmt: skip
    return tuple(dict.fromkeys([*declared, *refs, *crm.host.catalog.commands]))


def all_commands(folder: Path) -> list[tuple[tuple[str, ...], click.Command]]:
    """Every command with its words, those of the workspace's plugins included."""
    state = State(str(folder), False, False, "en")
    root = click.Context(cli, info_name="crmkit", obj=state)
    root.params["workspace"] = str(folder)
    return list(_walk(cli, root, state, ()))


def _walk(
    command: click.Command, ctx: click.Context, state: State, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    declared: Callable[[State], click.Command] | None = getattr(command, "declared", None)
    if declared is not None:
        command = declared(state)
    if isinstance(command, click.Group):
        inner = ctx if command is cli else click.Context(command, parent=ctx)
        for name in command.list_commands(inner):
            found = command.get_command(inner, name)
            if found is not None and (*path, name) not in LEFT_OUT:
                yield from _walk(found, inner, state, (*path, name))
        if not command.invoke_without_command:
            return
    yield path, command


def generate(
    commands: Sequence[tuple[tuple[str, ...], click.Command]],
    world: World,
    seed: int,
    count: int,
    first: int = 0,
) -> Iterator[list[str]]:
    """``count`` invocations, beginning with the command ``first``; a seed gives the same ones."""
    chance = random.Random(seed)
    for number in range(count):
        # Each command has its turn, so that none is left to chance.
        path, command = commands[(first + number) % len(commands)]
        yield [*path, *_words(chance, command, world)]


def _words(chance: random.Random, command: click.Command, world: World) -> list[str]:
    # Most words are good, so that the work is reached and not only the parser.
    hostile = chance.choice((0.0, 0.1, 0.3, 0.8))
    options: list[str] = []
    arguments: list[str] = []
    for param in command.params:
        if isinstance(param, click.Argument):
            if param.required or chance.random() < 0.7:
                most = 2 if param.nargs == -1 else 1
                arguments += [_value(chance, param, world, hostile) for _ in range(most)]
        elif isinstance(param, click.Option) and (param.required or chance.random() < 0.25):
            name = chance.choice(param.opts + param.secondary_opts)
            options.append(name)
            if not param.is_flag and not param.count:
                options.append(_value(chance, param, world, hostile))
    if chance.random() < 0.03:
        options.append(chance.choice(("--no-such", "-Z", "--limit=", "--format", "--help")))
    if chance.random() < 0.03 and arguments:
        arguments.pop()
    return [*options, *arguments]


def _value(chance: random.Random, param: click.Parameter, world: World, hostile: float) -> str:
    if chance.random() < hostile:
        return chance.choice(HOSTILE)
    kind = param.type
    if isinstance(kind, click.Choice):
        return str(chance.choice(list(kind.choices)))
    if kind.name in ("integer", "integer range", "number", "float", "float range"):
        return chance.choice(("0", "1", "2", "10", "0.5"))
    if kind.name in ("when", "datetime") or "date" in (param.name or ""):
        return chance.choice(("2026-03-31", "2026-03-31 14:30", "2026-06-30T00:00:00Z"))
    if param.name in ("output", "rejects", "profile_out", "folder"):
        return chance.choice(("-", "out/x.csv", "out/x.json", "out", "folder", "/nonexistent/x"))
    if param.name in ("file", "table", "against") or kind.name in ("path", "filename"):
        return chance.choice(("file.csv", "folder", "missing.csv", "profile.toml", "-"))
    return chance.choice(world.names)


def state_of(crm: Crm, folder: Path) -> str:
    """A hash of what a command may not have changed when it says that it failed.

    The store's transactions and the size and time of every file outside ``runs``, ``warehouse`` and
    the database, which readers write to for themselves.
    """
    digest = hashlib.sha256()
    # Whom somebody asked for in vain is filed on purpose, so that it can be seen who asks.
    kinds = ", ".join(f"'{guard.refusals}'" for guard in crm.store.privacy.guards) or "''"
    asked = f"SELECT tx FROM interaction WHERE kind IN ({kinds})"
    with crm.store.read() as connection:
        for table in crm.store.tables.values():
            if table.name not in ("interaction", "tx"):
                rows = connection.exec_driver_sql(f'SELECT count(*) FROM "{table.name}"').scalar()
                digest.update(f"{table.name}:{rows};".encode())
        for column, name in (("id", "tx"), ("tx", "interaction")):
            count = f"SELECT count(*), max({column}) FROM {name} WHERE {column} NOT IN ({asked})"
            digest.update(str(connection.exec_driver_sql(count).one()).encode())
    derived = ("runs", "warehouse", "crmkit.db")
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder)
        if not place.parts[0].startswith(derived) and path.is_file():
            digest.update(f"{place}:{path.stat().st_size}:{path.stat().st_mtime_ns};".encode())
    return digest.hexdigest()
