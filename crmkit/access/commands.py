"""Runs the commands that plugins declare, and makes the services that they offer."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from ..declarations import Answer, Command, Parameter
from ..entities.field_types import FieldType
from ..entities.fields import FieldSet
from ..entities.moments import parse_moment
from ..errors import NotFound, PluginError, UsageError
from ..store.values import Codec

if TYPE_CHECKING:
    from ..workspace import Crm

# What a parameter's type is in the schema by which its value is checked.
_SCHEMAS: dict[FieldType, dict[str, Any]] = {
    FieldType.TEXT: {"type": "string"},
    FieldType.INTEGER: {"type": "integer"},
    FieldType.NUMBER: {"type": "number"},
    FieldType.BOOLEAN: {"type": "boolean"},
    FieldType.DATE: {"type": "string", "format": "date"},
    FieldType.INSTANT: {"type": "string", "format": "date-time"},
    FieldType.MONEY: {"type": "string", "format": "money"},
    FieldType.LIST: {"type": "array", "items": {"type": "string"}},
}


LIMIT = Parameter(name="limit", type=FieldType.INTEGER)


class Commands:
    """The commands and services of the enabled plugins."""

    def __init__(self, crm: Crm) -> None:
        self._crm = crm
        self._services: dict[str, Any] = {}

    def run(self, name: str, values: Mapping[str, Any], *, dry_run: bool = False) -> Answer:
        """Runs a command.

        Args:
            name: ``case open``.
            values: by parameter, as Python values or as text; those left out take their defaults.
            dry_run: True takes back what it wrote; for commands that write.

        Raises:
            NotFound: if there is no such command or parameter.
            UsageError: if a value is missing or not allowed.
            PluginError: if the plugin's code fails otherwise than by an error of crmkit's.
        """
        crm = self._crm
        try:
            command = crm.catalog.commands[name]
        except KeyError:
            raise NotFound("command", name, crm.catalog.commands) from None
        if dry_run and not command.writes:
            raise UsageError(f"{name} writes nothing, so there is no dry run of it.")
        typed = self._typed(command, values)
        with crm.store.rehearsal() if dry_run else nullcontext():
            answer = crm.host.run(crm.catalog.owner(name), name, command.run, crm, **typed)
        if not isinstance(answer, Answer):
            said = f"returned a {type(answer).__name__}, not an Answer."
            raise PluginError(crm.catalog.owner(name), name, said)
        return answer

    def service(self, name: str) -> Any:
        """The service of that name, made once.

        Raises:
            NotFound: if no enabled plugin offers it.
            PluginError: if it cannot be made.
        """
        if name not in self._services:
            try:
                service = self._crm.catalog.services[name]
            except KeyError:
                raise NotFound("service", name, self._crm.catalog.services) from None
            plugin = self._crm.catalog.owner(name)
            self._services[name] = self._crm.host.run(plugin, name, service.make, self._crm)
        return self._services[name]

    def _typed(self, command: Command, values: Mapping[str, Any]) -> dict[str, Any]:
        declared = {p.name: p for p in command.parameters}
        out: dict[str, Any] = {}
        if command.as_of:
            out["as_of"] = _as_of(self._crm, values.get("as_of"))
            values = {name: value for name, value in values.items() if name != "as_of"}
        if command.limit:
            out["limit"] = self._value(command.name, LIMIT, values.get("limit"))
            if out["limit"] is not None and out["limit"] < 0:
                raise UsageError(f"{command.name}: a limit is a number of rows, 0 or more.")
            values = {name: value for name, value in values.items() if name != "limit"}
        for name in values:
            if name not in declared:
                raise NotFound(f"parameter of {command.name}", name, declared)
        for name, parameter in declared.items():
            value = values.get(name)
            value = parameter.default if value is None else value
            if value is None and parameter.required:
                raise UsageError(f"{command.name} needs {name}.")
            out[name] = self._value(command.name, parameter, value)
        return out

    def _value(self, command: str, parameter: Parameter, value: Any) -> Any:
        if parameter.multiple:
            return tuple(self._one(command, parameter, item) for item in value or ())
        return None if value is None else self._one(command, parameter, value)

    def _one(self, command: str, parameter: Parameter, value: Any) -> Any:
        if parameter.type is FieldType.INSTANT and isinstance(value, str):
            zone = self._crm.settings.time_zone
            try:
                return parse_moment(value, zone, day_ends=parameter.day_ends).instant
            except ValueError as error:
                raise UsageError(f"{command}, {parameter.name}: {error}.") from None
        schema = dict(_SCHEMAS[parameter.type])
        if parameter.choices is not None:
            schema["enum"] = list(parameter.choices)
        fields = FieldSet({"type": "object", "properties": {parameter.name: schema}})
        codec = Codec(command, fields, self._crm.settings.currency)
        typed = codec.typed({parameter.name: value})
        found = typed[parameter.name]
        if found not in schema.get("enum", [found]):
            # Only to say what is wrong: importing the validator takes longer than most commands.
            codec.check(typed)
        return found


def _as_of(crm: Crm, given: Any) -> Any:
    return crm.as_of(given) if given is None or isinstance(given, str) else given
