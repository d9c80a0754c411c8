"""Writes the pages of ``docs/reference`` that follow from the program itself.

``python docs/generate.py`` writes them; ``tests/test_docs.py`` fails when they differ.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import click

from crmkit import declarations, entities, errors, hookspecs, settings
from crmkit.cli.main import PluginNoun, cli

REFERENCE = Path(__file__).parent / "reference"
NOTE = "<!-- Written by docs/generate.py from the program; do not edit. -->\n"
WIDTH = 96

# What the program reads from the environment; the test looks for each in the source.
ENVIRONMENT = {
    "CRMKIT_WORKSPACE": "Workspace folder, where `-w` is not given.",
    "CRMKIT_ACTOR": "Who is recorded on writes; else the login name.",
    "CRMKIT_DATABASE_PASSWORD": "Password of the database account; goes before `database_password_file` and `~/.pgpass`.",
    "CRMKIT_CHECK_SECONDS": "How long `plugin check` lets a plugin load.",
    "CRMKIT_CHECK_MEGABYTES": "How much memory `plugin check` lets a plugin take.",
}


# --- command line ---------------------------------------------------------------------------------


def cli_page() -> str:
    """Every command with its help, then the exit codes and formats."""
    out = [
        NOTE,
        "# Command line\n",
        "`crmkit NOUN VERB`.",
        "Results go to stdout, everything else to stderr.",
        "Options of `crmkit` itself stand before the noun: `crmkit -w shop report list`.\n",
        "## crmkit\n",
        _help(cli, "crmkit"),
    ]
    for path, command in _commands(cli, "crmkit"):
        out += [f"{'##' if path.count(' ') == 1 else '###'} {path}\n", _help(command, path)]
    out += ["## Exit codes\n", _exit_codes(), "## Formats\n", _formats()]
    return "\n".join(out)


def _commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group, info_name=path)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None:
            continue
        if isinstance(command, PluginNoun):
            command = command.declared()
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path} {name}")


def _help(command: click.Command, path: str) -> str:
    # The names are those of the root command, which a context without parent does not know; click
    # keeps the help option that was made first, so a test that ran before would decide otherwise.
    context = click.Context(
        command, info_name=path, terminal_width=WIDTH, max_content_width=WIDTH,
        help_option_names=["-h", "--help"],
    )  # fmt: skip
    return f"```text\n{command.get_help(context)}\n```\n"


def _exit_codes() -> str:
    tree = inspect.getdoc(errors) or ""
    drawn = tree.partition("::\n\n")[2].partition("\n\nThe number")[0]
    rows = [
        "0 is done, 3 is done but some rows of an import were rejected (`--rejects-ok` turns it to 0).",
        "Every other code is that of an error, which stderr tells in one line:\n",
        f"```text\n{inspect.cleandoc(drawn)}\n```\n",
    ]
    return "\n".join(rows)


def _formats() -> str:
    from crmkit.cli.options import FORMATS

    words = {
        "table": "aligned text; folded to the width of a terminal, never cut; no colour off a terminal or with `NO_COLOR`",
        "json": "one array of flat objects; ids and money are text, instants end in `Z`, missing is `null`",
        "jsonl": "the same objects, one a line",
        "csv": "UTF-8 with a heading; a text cell that a spreadsheet would run as a formula gets a `'` before it",
        "tsv": "the same with tabs",
        "parquet": "typed columns, money as exact decimals",
        "xlsx": "typed cells under a frozen heading, further sheets beyond 1,048,575 rows, and of a report a sheet that says what it is; needs `pip install 'crmkit[xlsx]'`",
        "html": "one page that opens without a network; reports have charts with `pip install 'crmkit[charts]'`",
    }
    return "\n".join(f"- `{name}`: {words[name]}." for name in FORMATS) + "\n"


# --- hooks ----------------------------------------------------------------------------------------


def hooks_page() -> str:
    """Every hook in the order of ``hookspecs.py``, under its phase."""
    source = inspect.getsource(hookspecs)
    out = [NOTE, "# Hooks\n", markdown(inspect.getdoc(hookspecs) or "")]
    phase = ""
    for line in source.splitlines():
        if banner := re.fullmatch(r"# --- (.+?) -+", line):
            phase = banner[1]
        elif found := re.match(r"def (\w+)\(", line):
            if phase:
                out.append(f"## {phase[0].upper()}{phase[1:]}\n")
                phase = ""
            out.append(_hook(getattr(hookspecs, found[1])))
    return "\n".join(out)


def hooks() -> list[Callable[..., Any]]:
    """Every hook specification, in order of declaration."""
    found = [f for _, f in inspect.getmembers(hookspecs, inspect.isfunction)]
    ours = [f for f in found if hasattr(f, "crmkit_spec")]
    return sorted(ours, key=lambda f: f.__code__.co_firstlineno)


def signature(hook: Callable[..., Any]) -> str:
    """``name(argument: Type) -> Type``, as written."""
    return f"{hook.__name__}{inspect.signature(hook)}".replace("'", "")


def _hook(hook: Callable[..., Any]) -> str:
    text = markdown(inspect.getdoc(hook) or "")
    return f"### {hook.__name__}\n\n```python\n{signature(hook)}\n```\n\n{text}"


# --- entities and declarations --------------------------------------------------------------------


def entities_page() -> str:
    """Every public class of ``crmkit.entities``."""
    classes = [getattr(entities, name) for name in entities.__all__]
    lead = (
        "What crmkit knows, as frozen attrs classes.\nIds are whole numbers of 64 bits, "
        "instants are aware and UTC, dates are dates, money is whole minor units.\n"
    )
    return "\n".join([NOTE, "# Entities\n", lead, *map(_class, classes)])


def declarations_page() -> str:
    """Every public class of ``crmkit.declarations``."""
    found = [getattr(declarations, name) for name in declarations.__all__]
    ours = [
        c for c in found if isinstance(c, type) and c.__module__.startswith(declarations.__name__)
    ]
    lead = markdown(inspect.getdoc(declarations) or "")
    return "\n".join([NOTE, "# Declarations\n", lead, *map(_class, ours)])


def _class(found: type) -> str:
    out = [f"## {found.__name__}\n", markdown(inspect.getdoc(found) or "")]
    if attrs.has(found):
        out += ["| attribute | type | default |", "|---|---|---|"]
        for a in attrs.fields(found):
            if not a.name.startswith("_"):
                out.append(f"| `{a.name}` | `{_type(a)}` | {_default(a)} |")
        out.append("")
    return "\n".join(out)


def _type(attribute: attrs.Attribute[Any]) -> str:
    # The modules postpone annotations, so a type is the text that its author wrote.
    return str(attribute.type).replace("|", "\\|")


def _default(attribute: attrs.Attribute[Any]) -> str:
    value = attribute.default
    if value is attrs.NOTHING:
        return "required"
    if isinstance(value, attrs.Factory):  # type: ignore[arg-type]
        return f"`{value.factory()!r}`"
    return f"`{value!r}`"


# --- settings -------------------------------------------------------------------------------------


def settings_page() -> str:
    """Every key of ``crmkit.toml`` with its type, default and meaning."""
    text = inspect.getdoc(settings.Settings) or ""
    meaning = dict(re.findall(r"^    (\w+): (.+?)(?=^    \w+: |\Z)", text, re.S | re.M))
    defaults = {a.name: a.default for a in attrs.fields(settings.Settings)}
    rows = [
        f"| `{key}` | {kind.__name__} | `{_toml(defaults[key])}` | {_one_line(meaning[key])} |"
        for key, kind in settings.KEYS.items()
    ]
    variables = [f"| `{name}` | {text} |" for name, text in ENVIRONMENT.items()]
    return "\n".join(
        [
            NOTE,
            "# Settings\n",
            "`crmkit.toml` in the workspace's folder holds them; `crmkit init` writes it.",
            "An unknown key is an error that names the known ones.",
            "`crmkit doctor` shows each value and where it comes from.\n",
            "| key | type | default | meaning |",
            "|---|---|---|---|",
            *rows,
            "",
            "## Environment\n",
            "| variable | meaning |",
            "|---|---|",
            *variables,
            "",
        ]
    )


def _toml(value: Any) -> str:
    return str(list(value)) if isinstance(value, tuple) else f'"{value}"'


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("``", "`")


# --- reports --------------------------------------------------------------------------------------


def reports_page() -> str:
    """Every report of the built-ins and of the plugins in this repository."""
    from crmkit.hosting.host import PluginHost
    from crmkit.hosting.manifest import find_manifests
    from crmkit.settings import Settings

    industry = [
        name for name, m in find_manifests().items() if m.distribution.startswith("crmkit-")
    ]
    host = PluginHost.load(Settings(folder=Path(), plugins=tuple(industry)))
    out = [
        NOTE,
        "# Reports\n",
        "`crmkit report run NAME` runs one; `crmkit report show NAME` tells the same.\n",
    ]
    for report in host.catalog.reports.values():
        out += [f"## {report.name}\n", f"{report.title}. {report.title_zh}\n"]
        out += [f"{report.method}\n"] if report.method else []
        out += [f"Source: {report.source}\n"] if report.source else []
        out += [f"{report.notes}\n"] if report.notes else []
        if report.parameters:
            out += ["| parameter | type | default | title |", "|---|---|---|---|"]
            out += [
                f"| `{p.name}` | {p.type.value} | {'' if p.default is None else p.default} | {p.title} |"
                for p in report.parameters
            ] + [""]
        out += ["| column | type | unit | title |", "|---|---|---|---|"]
        out += [f"| {' | '.join(_report_column(c))} |" for c in report.columns] + [""]
    return "\n".join(out)


def _report_column(column: declarations.ReportColumn) -> tuple[str, str, str, str]:
    from crmkit.present.results import result_column

    shown = result_column(column, "currency")
    name = "ref" if shown.name == "customer_id" else shown.name
    kind = "text" if name == "ref" else (shown.type.value if shown.type else "")
    return f"`{name}`", kind, shown.unit or "", shown.title


# --- docstrings -----------------------------------------------------------------------------------

_SECTION = re.compile(r"(Args|Returns|Raises|Example|Attributes|Policy \w+|If it raises)(::?)(.*)")


def markdown(text: str) -> str:
    """A docstring as Markdown: sections in bold, code blocks fenced, tables kept as text."""
    text = re.sub(r":\w+:`~?([^`]+)`", r"`\1`", text).replace("``", "`")
    out: list[str] = []
    for block in re.split(r"\n\s*\n", text):
        out += _block(block, out)
    return "\n".join(_fences(out)).strip() + "\n"


def _block(block: str, before: list[str]) -> list[str]:
    lines = block.splitlines()
    if block.startswith(("=", " ")) and "==" in block:
        return ["```text", *lines, "```", ""]
    if block.startswith("    ") or (before and before[-1] == "::"):
        return ["```python", *inspect.cleandoc(block).splitlines(), "```", ""]
    section = _SECTION.match(lines[0])
    if section is None:
        return [*(line.replace("::", ":") for line in lines), ""]
    name, rest = section[1], section[3].strip()
    head = f"**{name}**{': ' + rest if rest else ''}"
    body = [line for line in lines[1:] if line.strip()]
    if name in ("Args", "Raises", "Attributes"):
        return [head, "", *_items(body), ""]
    return [head, *inspect.cleandoc("\n".join(body)).splitlines(), ""]


def _items(lines: list[str]) -> list[str]:
    out: list[str] = []
    least = min((len(line) - len(line.lstrip()) for line in lines), default=0)
    for line in lines:
        found = re.match(r"([\w, .`]+): (.*)", line.strip())
        if len(line) - len(line.lstrip()) == least and found:
            out.append(f"- `{found[1].strip('`')}`: {found[2]}")
        else:
            out.append(f"  {line.strip()}")
    return out


def _fences(lines: list[str]) -> list[str]:
    """Joins code blocks that only an empty line parts."""
    text = "\n".join(lines)
    return text.replace("```\n\n```python\n", "\n").splitlines()


PAGES: dict[str, Callable[[], str]] = {
    "cli.md": cli_page,
    "hooks.md": hooks_page,
    "entities.md": entities_page,
    "declarations.md": declarations_page,
    "settings.md": settings_page,
    "reports.md": reports_page,
}


def main() -> None:
    """Writes every page."""
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page(), encoding="utf-8")
        print(f"wrote {REFERENCE / name}")


if __name__ == "__main__":
    main()
