"""The reference says what the program does: written from it, and compared with it."""

from __future__ import annotations

import importlib.util
import inspect
import re
import sys
from pathlib import Path
from types import ModuleType

import attrs
import pytest

from crmkit import declarations, entities, errors, hookspecs, settings
from crmkit.cli.options import FORMATS

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # attrs and inspect look classes up by their module's name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


generate = _load()


def reference(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", generate.PAGES)
def test_a_generated_page_is_what_the_program_says(name: str) -> None:
    """Run ``python docs/generate.py`` when this fails."""
    assert reference(name) == generate.PAGES[name]()


def test_every_command_and_option_is_in_the_reference() -> None:
    text = reference("cli.md")
    found = list(generate._commands(generate.cli, "crmkit"))
    assert len(found) > 30
    for path, command in found:
        assert re.search(rf"^##+ {re.escape(path)}$", text, re.M), path
        section = text.partition(f"# {path}\n")[2].partition("\n```\n")[0]
        for option in command.params:
            for name in option.opts:
                if name.startswith("--"):
                    assert name in section, f"{path} {name}"


def test_every_command_that_does_something_shows_an_example() -> None:
    for path, command in generate._commands(generate.cli, "crmkit"):
        if not hasattr(command, "commands"):
            assert "Example" in (command.help or ""), path


def test_every_hook_is_in_the_reference_with_its_exact_arguments() -> None:
    text = reference("hooks.md")
    hooks = generate.hooks()
    assert [h.__name__ for h in hooks] == [
        n for n, _ in sorted(
            ((n, f.__code__.co_firstlineno) for n, f in inspect.getmembers(hookspecs, inspect.isfunction)),
            key=lambda pair: pair[1],
        )
    ]  # fmt: skip
    for hook in hooks:
        assert f"### {hook.__name__}\n\n```python\n{generate.signature(hook)}\n```" in text


def test_every_hook_says_what_an_author_has_to_know() -> None:
    for hook in generate.hooks():
        text = inspect.getdoc(hook) or ""
        for wanted in ("Called ", "Example::"):
            assert wanted in text, f"{hook.__name__}: {wanted}"
        assert "If it raises" in text or "Policy " in text, hook.__name__
        assert "Returns:" in text or "Policy observe" in text, hook.__name__


def test_every_setting_is_in_the_reference_with_its_default() -> None:
    text = reference("settings.md")
    assert set(settings.KEYS) == {a.name for a in attrs.fields(settings.Settings)} - {"folder"}
    for key in settings.KEYS:
        assert f"| `{key}` |" in text


def test_every_environment_variable_of_the_program_is_in_the_reference() -> None:
    named: set[str] = set()
    for path in (ROOT / "crmkit").rglob("*.py"):
        if "testing" not in path.parts:
            named |= set(re.findall(r"CRMKIT_[A-Z_]+", path.read_text(encoding="utf-8")))
    assert named == set(generate.ENVIRONMENT)


def _errors(found: type[errors.CrmkitError]) -> list[type[errors.CrmkitError]]:
    return [found, *(c for child in found.__subclasses__() for c in _errors(child))]


def test_every_exit_code_is_in_the_reference() -> None:
    section = reference("cli.md").partition("## Exit codes")[2].partition("## Formats")[0]
    for error in _errors(errors.CrmkitError):
        if error.__module__ == errors.__name__:
            assert error.__name__ in section, error.__name__
    codes = {error.exit_code for error in _errors(errors.CrmkitError)}
    assert codes == {1, 2, 4, 5, 6, 7, 8, 130}
    # 0 and 3 are no errors; the others stand in the tree beside their class.
    for code in codes:
        assert re.search(rf"\b{code}\b", section), code


def test_every_error_code_is_in_the_reference() -> None:
    found = {
        code
        for path in (ROOT / "crmkit").rglob("*.py")
        if "testing" not in path.parts
        for code in re.findall(r'"(E_[A-Z_]+)"', path.read_text(encoding="utf-8"))
    }
    assert {"E_REVERT", "E_REVERT_WINDOW", "E_REVERT_UNKNOWN", "E_TYPE", "E_BUSY"} <= found
    text = reference("error-codes.md")
    assert sorted(code for code in found if f"`{code}`" not in text) == []


def test_every_format_is_in_the_reference() -> None:
    section = reference("cli.md").partition("## Formats")[2]
    for name in FORMATS:
        assert f"- `{name}`:" in section


def test_every_entity_and_declaration_is_in_the_reference() -> None:
    for module, page in ((entities, "entities.md"), (declarations, "declarations.md")):
        for name in module.__all__:
            found = getattr(module, name)
            if isinstance(found, type) and found.__module__.startswith(module.__name__):
                assert f"\n## {name}\n" in reference(page), name


def test_every_link_between_pages_leads_somewhere() -> None:
    for page in [ROOT / "README.md", *DOCS.rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)}: {target}"


def test_every_page_is_reached_from_the_index() -> None:
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    for page in DOCS.rglob("*.md"):
        name = page.relative_to(DOCS).as_posix()
        if name != "index.md" and not name.startswith("changelog.d/"):
            assert f"({name})" in text, name


def test_prose_has_one_sentence_on_a_line() -> None:
    """Only hand-written pages: generated ones follow the docstrings."""
    for page in [ROOT / "README.md", DOCS / "index.md", DOCS / "explanation" / "design.md"]:
        text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
        for line in text.splitlines():
            if not line.startswith(("|", "#")):
                # A bold term at the head of an item, as "**D1 Time.**", is no sentence.
                said = re.sub(r"\*\*.+?\*\*", "", line)
                assert not re.search(r"[a-z)`][.?!] [A-Z]", said), f"{page.name}: {line}"
