"""The slow checks of JSON Schemas: meta-schema, patterns, size.

They need jsonschema and google-re2, so they run in ``plugin check`` and for plugins that have no
verdict yet, not each time a workspace opens.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from ..declarations import ImportProfile
from ..entities.fields import FieldSet, nested_schemas
from ..entities.standard_numbers import is_known
from .declared import NOUNS, Declared
from .soundness import field_sets

# A schema beyond this is a mistake or an attack: the largest real one has some hundred nodes.
MAX_NODES, MAX_DEPTH = 20_000, 32


def schema_faults(declared: Declared) -> list[str]:
    """Every fault of the plugin's schemas and profile texts that needs a parser to find."""
    out = []
    for label, _, fields in field_sets(declared):
        if isinstance(fields.schema, Mapping):
            out += [f"{label}: {fault}" for fault in _schema_faults(fields.schema)]
            out += [f"{label}: {fault}" for fault in _number_faults(fields)]
    for profile in declared.of("profiles"):
        out += [
            f"{NOUNS['profiles']} {profile.name}: {fault}" for fault in _profile_faults(profile)
        ]
    return out


def _number_faults(fields: FieldSet) -> Iterator[str]:
    for field in fields.fields:
        name = field.standard_number
        # None: without the library nobody can say, and the first value will.
        if name is not None and is_known(str(name)) is False:
            yield (
                f"field {field.name!r}: format {name!r} is neither one of JSON Schema nor a number "
                "that python-stdnum knows, as cn.ric or iban"
            )


def _profile_faults(profile: ImportProfile) -> Iterator[str]:
    try:
        lookups = tomllib.loads(profile.text).get("lookups", {})
    except tomllib.TOMLDecodeError as error:
        yield str(error)
        return
    tables: Any = profile.tables  # a plugin may have handed in anything
    if not isinstance(tables, Mapping) or not all(isinstance(v, str) for v in tables.values()):
        yield "tables must be the texts of CSV files by name"
        return
    for table in lookups.values() if isinstance(lookups, dict) else ():
        file = table.get("file") if isinstance(table, dict) else None
        if file not in tables:
            yield f"looks values up in {file!r}, which it does not bring along ({', '.join(tables) or 'none'})"


def _schema_faults(schema: Mapping[str, Any]) -> Iterator[str]:
    # Size first: the meta-schema check recurses.
    too_large = _size_fault(schema)
    if too_large:
        yield too_large
        return
    # Lazy: 190 ms of CPU.
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    try:
        Draft202012Validator.check_schema(_plain(schema))
    except SchemaError as error:
        where = ".".join(str(part) for part in error.absolute_path) or "the schema"
        yield f"{where} is no JSON Schema: {error.message[:200]}"
        return
    yield from _pattern_faults(schema)


def _pattern_faults(schema: Mapping[str, Any]) -> Iterator[str]:
    for where, node in nested_schemas(schema):
        patterns = [node["pattern"]] if isinstance(node.get("pattern"), str) else []
        if isinstance(node.get("patternProperties"), Mapping):
            patterns += node["patternProperties"]
        for pattern in patterns:
            said = _refused_by_re2(str(pattern))
            if said:
                yield (
                    f"{where}: pattern {str(pattern)[:80]!r} does not run on RE2 ({said}); "
                    "it has no back-references and no look-around"
                )


def _refused_by_re2(pattern: str) -> str | None:
    """Why RE2 does not take a pattern, or None if it does."""
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        return str(error.args[0].decode() if isinstance(error.args[0], bytes) else error)
    return None


def _size_fault(schema: Any) -> str | None:
    todo, nodes = [(schema, 1)], 0
    while todo:
        node, depth = todo.pop()
        nodes += 1
        if nodes > MAX_NODES:
            return f"the schema has more than {MAX_NODES} nodes"
        if depth > MAX_DEPTH:
            return f"the schema is nested more than {MAX_DEPTH} deep"
        if isinstance(node, Mapping):
            todo += [(child, depth + 1) for child in node.values()]
        elif isinstance(node, (list, tuple)):
            todo += [(child, depth + 1) for child in node]
    return None


def _plain(node: Any) -> Any:
    """The schema with dicts and lists only, as the meta-schema wants them."""
    if isinstance(node, Mapping):
        return {key: _plain(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return [_plain(value) for value in node]
    return node
