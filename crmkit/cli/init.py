"""``crmkit init``: a workspace of one's own."""

from __future__ import annotations

import re
from collections.abc import Iterable

import click

from ..errors import NotFound
from .options import Zone
from .output import note
from .passwords import PASSWORD_PLACES


def _currency(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"[A-Z]{3}", value):
        raise click.BadParameter(f"{value!r} is no ISO 4217 code such as EUR.")
    return value


@click.command("init")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False))
@click.option("--plugin", "plugins", multiple=True, metavar="NAME", help="Industry plugin to enable; may be given several times.")  # fmt: skip
@click.option("--database", metavar="URL", help="SQLAlchemy URL. Default: a SQLite file in DIR.")
@click.option("--currency", metavar="CODE", callback=_currency, help="ISO 4217 code of amounts that name none. Default: USD.")  # fmt: skip
@click.option("--time-zone", metavar="ZONE", type=Zone(), help="IANA zone in which days begin and end. Default: UTC.")  # fmt: skip
@click.option(
    "--language", type=click.Choice(["en", "zh"]), help="Language of labels. Default: en."
)
@click.option("--without", multiple=True, metavar="NAME", help="Built-in plugin to leave out; may be given several times.")  # fmt: skip
@click.option("--group", is_flag=True, help="Let the folder's group read and write its files too.")
@click.pass_context
def command(
    ctx: click.Context,
    folder: str,
    plugins: tuple[str, ...],
    database: str | None,
    currency: str | None,
    time_zone: str | None,
    language: str | None,
    without: tuple[str, ...],
    group: bool,
) -> None:
    """Make a workspace.

    Makes the tables of the plugins in the database and writes DIR/crmkit.toml. A folder that is a
    workspace already is refused. Its files are for their owner alone, or with --group for a group
    too. A password in URL is used here and not written down. Everything it
    says goes to stderr.

    Example: crmkit init shop --plugin telecom
    """
    from ..hosting.manifest import find_manifests
    from ..hosting.plugins import Plugins
    from ..store.engine import split_password
    from ..workspace import init_workspace
    from .main import name_faults

    manifests = find_manifests()
    check_names("plugin", plugins, [n for n, m in manifests.items() if not m.builtin])
    check_names("built-in plugin", without, [n for n, m in manifests.items() if m.builtin])
    crm = init_workspace(
        folder,
        plugins=_once(plugins),
        without=_once(without),
        database=database,
        currency=currency,
        time_zone=time_zone,
        language=language,
        permissions="group" if group else None,
    )
    if database and split_password(database)[1] is not None:
        note(f"the password is not written into crmkit.toml. {PASSWORD_PLACES}")
    with crm:
        note(f"made workspace {folder} with {', '.join(_once(plugins)) or 'no industry plugin'}.")
        name_faults(crm)
        # Kept, so that `plugin list`, which loads nothing, names a built-in that is set aside too.
        faulty = {fault.plugin for fault in crm.host.faults}
        for name in sorted(faulty & {n for n, m in manifests.items() if m.builtin}):
            Plugins(crm.settings).check(name)
        for line in next_steps(folder, sorted(crm.catalog.profiles)):
            note(line)


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def check_names(what: str, names: Iterable[str], known: list[str]) -> None:
    """Refuses the first name that is not known, with near misses."""
    for name in names:
        if name not in known:
            hint = "" if known else "No plugin is installed; install one, as crmkit-telecom."
            raise NotFound(what, name, known, hint=hint)


def next_steps(folder: str, profiles: list[str]) -> list[str]:
    """What to type next, one line each."""
    if not profiles:
        return [f"next: crmkit -w {folder} customer add NAME"]
    shown = ", ".join(profiles[:6]) + (", ..." if len(profiles) > 6 else "")
    return [
        f"next: crmkit -w {folder} import FILE --profile NAME   (profiles: {shown})",
        f"      crmkit -w {folder} report list",
    ]
