"""The root command. Nouns are imported when they are used, so that start-up stays fast."""

from __future__ import annotations

import errno
import importlib
import io
import os
import re
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from .. import __version__
from ..errors import CrmkitError, did_you_mean

if TYPE_CHECKING:
    from ..hosting.catalog import Catalog
    from ..settings import Settings
    from ..workspace import Crm

# noun: (module, one line of help). The help stands here so that `--help` imports no noun.
NOUNS = {
    "init": ("init", "Make a workspace."),
    "demo": ("demo", "Generate a vertical's world and run the whole flow on it."),
    "import": ("import_", "Read a file into the store through a profile."),
    "batch": ("batch", "List and show past imports."),
    "profile": ("profile", "List, show and check import profiles."),
    "customer": ("customer", "List, show and edit customers."),
    "interaction": ("interaction", "Log and list interactions."),
    "record": ("record", "List and show plugins' records."),
    "document": ("document", "Attach files to customers and records."),
    "lifecycle": ("lifecycle", "Show, move and measure stages."),
    "snapshot": ("snapshot", "Refresh the warehouse."),
    "sql": ("sql", "Ask the analysis tables, read-only."),
    "feature": ("feature", "List and build point-in-time features."),
    "segment": ("segment", "List and run segments."),
    "score": ("score", "Train, evaluate, run and explain scores."),
    "rule": ("rule", "List and run rules."),
    "why": ("why", "Say why a customer is where it is."),
    "cycle": ("cycle", "Run the day, from the snapshot to the reports."),
    "report": ("report", "List, show and run reports."),
    "plugin": ("plugin", "List, check, enable and disable plugins."),
    "db": ("db", "Show and upgrade the database schema."),
    "doctor": ("doctor", "Check this workspace and say what to do."),
}


class Nouns(click.Group):
    """A group whose members are imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*NOUNS, *plugin_nouns(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in NOUNS:
            module = importlib.import_module(f".{NOUNS[cmd_name][0]}", __package__)
            command: click.Command = module.command
            return command
        nouns = plugin_nouns(ctx)
        return PluginNoun(cmd_name, nouns[cmd_name]) if cmd_name in nouns else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in NOUNS and not args[0].startswith("-"):
            nouns = plugin_nouns(ctx)
            if args[0] not in nouns:
                _explain_noun(ctx, args[0])
                raise click.exceptions.NoSuchCommand(
                    args[0], possibilities=[*NOUNS, *nouns], ctx=ctx
                )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in NOUNS.items()])
        nouns = plugin_nouns(ctx)
        if nouns:
            with formatter.section("Commands of plugins"):
                formatter.write_dl(list(nouns.items()))

    def invoke(self, ctx: click.Context) -> Any:
        # Inside click's own handler, which would end a closed pipe (`| head`) with exit 1.
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            _abandon_stdout()
            return 0
        return result


class PluginNoun(click.Command):
    """A noun of a plugin, which is imported when the noun is used."""

    def __init__(self, noun: str, text: str) -> None:
        super().__init__(noun, help=text)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:  # fmt: skip
        state = parent.obj if parent is not None else None
        return self.declared(state).make_context(info_name, args, parent, **extra)

    def declared(self, state: State | None = None) -> click.Command:
        """The command or group that the plugin declares; None is a place without a workspace."""
        from .plugin_commands import noun_command

        return noun_command(str(self.name), self.help or "", _declaring(state))


def plugin_nouns(ctx: click.Context) -> dict[str, str]:
    """Nouns of the plugins that the workspace enables, with their help, read from the manifests.

    Without a workspace, those of the built-ins. A noun that crmkit itself has stays crmkit's.
    """
    from ..hosting.manifest import find_manifests
    from ..hosting.standing import enabled_names, manifest_faults

    manifests = find_manifests()
    settings = _settings(ctx.params.get("workspace"))
    names = [n for n, m in manifests.items() if m.builtin]
    if settings is not None:
        names = enabled_names(settings, manifests)
    if ctx.params.get("safe_mode"):
        names = [n for n in names if n in manifests and manifests[n].builtin]
    faulty = {fault.plugin for fault in manifest_faults(names, manifests)}
    found = {
        noun: text
        for name in names
        if name not in faulty
        for noun, text in manifests[name].commands.items()
    }
    return {noun: text for noun, text in sorted(found.items()) if noun not in NOUNS}


def _explain_noun(ctx: click.Context, noun: str) -> None:
    """Why a noun is unknown, where that is not its spelling.

    Raises:
        CrmkitError: if the workspace that was named is not there or cannot be read, or the noun is
            that of a plugin and there is no workspace.
        UsageError: if it is that of a plugin that is not enabled.
    """
    from ..errors import UsageError
    from ..hosting.manifest import find_manifests
    from ..settings import find_workspace, load_settings

    workspace = ctx.params.get("workspace")
    owners = [name for name, m in find_manifests().items() if noun in m.commands]
    if workspace or os.environ.get("CRMKIT_WORKSPACE") or owners:
        load_settings(find_workspace(workspace))
    if owners and not ctx.params.get("safe_mode"):
        raise UsageError(
            f"{noun!r} is a command of the plugin {owners[0]}, which is not enabled here.",
            hint=f"Enable it: crmkit plugin enable {owners[0]}",
        )


def _settings(workspace: str | None) -> Settings | None:
    """The settings of the workspace; None where there is none, or none that can be read."""
    from ..settings import find_workspace, load_settings

    try:
        return load_settings(find_workspace(workspace))
    except CrmkitError:
        return None


def _declaring(state: State | None) -> Catalog:
    """What the sound plugins of the workspace declare; without one, the built-ins."""
    from ..hosting.host import PluginHost
    from ..hosting.manifest import find_manifests

    settings = None if state is None else _settings(state.workspace)
    if state is not None and settings is not None:
        return PluginHost.load(settings, safe_mode=state.safe_mode).catalog
    manifests = find_manifests()
    host = PluginHost(manifests)
    host.take([name for name, manifest in manifests.items() if manifest.builtin])
    return host.catalog


class State:
    """What the root options said; commands get it by ``click.pass_obj``."""

    def __init__(self, workspace: str | None, safe_mode: bool, debug: bool, lang: str | None):
        self.workspace, self.safe_mode, self.debug, self.lang = workspace, safe_mode, debug, lang
        self.locale = ""

    def open(self, *, shows: str | None = None, outdated: bool = False, **options: Any) -> Crm:
        """Opens the workspace that the root options name; labels are in its language from now on.

        ``shows`` names a command that shows customers: agents who have left are refused. ``outdated``
        is for one that works although an upgrade of the database is due.

        When the command ends, every plugin that was left out or failed on the way is named.
        """
        from ..access.agents import Agents
        from ..workspace import open_workspace
        from .output import check_form
        from .working import begin

        given = click.get_current_context().params
        if isinstance(given.get("format"), str) and "output" in given:
            check_form(given["format"], given["output"])
        begin()
        crm = open_workspace(
            self.workspace, safe_mode=self.safe_mode, language=self.lang, **options
        )
        self.lang, self.locale = crm.settings.language, crm.settings.locale
        self._mark(crm)
        _tell_times(crm.settings.time_zone)
        click.get_current_context().find_root().call_on_close(lambda: name_faults(crm))
        if shows is not None:
            agents = Agents(crm.stored, crm.settings, ()) if outdated else crm.ownership
            agents.check_access(crm.actor, shows)
        return crm

    def _mark(self, crm: Crm) -> None:
        """Reports commands that ended without their result, and marks this one until it ends."""
        from ..hosting.marks import Mark, take_ended

        for ended in take_ended(crm.settings.folder):
            _say(str(ended))
        context = click.get_current_context()
        crm.mark = Mark(crm.settings.folder, context.command_path, crm.clock())
        context.find_root().call_on_close(crm.mark.end)


def _tell_times(time_zone: str) -> None:
    """Says on stderr which instant each day or time of the command is taken for."""
    from .options import When
    from .output import note

    ctx = click.get_current_context()
    for param in ctx.command.params:
        given = ctx.params.get(param.name or "")
        if isinstance(param.type, When) and given:
            for value in [given] if isinstance(given, str) else given:
                note(f"{max(param.opts, key=len).lstrip('-')}: {param.type.told(value, time_zone)}")


def name_faults(crm: Crm) -> None:
    """Says on stderr which plugins were left out or failed, and which files were mended, and why."""
    for file in crm.replaced_files:
        _say(
            f"warehouse/{file} was missing or damaged; what it held was read again from the "
            "database. Check the disk."
        )
    # One that its manifest and its last check name alike is said once.
    for fault in dict.fromkeys(crm.host.faults):
        _say(f"plugin {fault}")
    for name in sorted({fault.plugin for fault in crm.host.faults} - set(crm.host.loaded)):
        _say(
            f"plugin {name} is left out. When this is mended: crmkit plugin check {name}; to work "
            f"without it: crmkit plugin disable {name}"
        )


@click.group(cls=Nouns, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="crmkit", message="%(prog)s %(version)s")
# Eager, because --help is: it shows the nouns of the workspace's plugins.
@click.option("-w", "--workspace", metavar="DIR", is_eager=True, help="Workspace folder; else CRMKIT_WORKSPACE, else the nearest crmkit.toml upward.")  # fmt: skip
@click.option(
    "--safe-mode", is_flag=True, is_eager=True, help="Load no plugin but the built-in ones."
)
@click.option(
    "--lang", type=click.Choice(["en", "zh"]), help="Language of labels; else the workspace's."
)
@click.option("--no-pager", is_flag=True, help="Print long tables on a terminal without a pager.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def cli(
    ctx: click.Context,
    workspace: str | None,
    safe_mode: bool,
    lang: str | None,
    no_pager: bool,
    debug: bool,
) -> None:
    """Integrate, analyse and act on customers, with a plugin for each industry.

    Results go to stdout, remarks to stderr. Long tables on a terminal go through PAGER, else less;
    NO_COLOR turns colours off. Exit codes: 0 done, 1 failed, 2 asked wrongly, 3 some
    rows were rejected, 4 not permitted, 5 configuration does not fit, 6 busy, 7 a plugin failed,
    8 storage full or failing, 130 interrupted.

    Example: crmkit demo telecom
    """
    if no_pager:
        ctx.meta["crmkit.no_pager"] = True
    ctx.obj = State(workspace, safe_mode, debug, lang)


def main(argv: list[str] | None = None) -> int:
    """Runs the command line and returns its exit code (design section 4).

    Args:
        argv: words after ``crmkit``; None takes those of the process.
    """
    args = sys.argv[1:] if argv is None else argv
    debug = "--debug" in args
    try:
        check_words(args)
        result = cli.main(args=args, prog_name="crmkit", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        return _show_click_error(error)
    except click.Abort:
        _say("interrupted. The same command goes on from where it stopped.")
        return 130
    except CrmkitError as error:
        if debug:
            raise
        _say(f"{error.code} {error}")
        return error.exit_code
    except Exception as error:  # the last line of defence: no traceback for an operator
        if debug:
            raise
        return _show_unexpected(error)


def check_words(args: Sequence[str]) -> None:
    """Refuses words that no table and no file could keep: bytes that are not UTF-8, and NUL.

    Raises:
        UsageError: naming the word by its place.
    """
    from ..errors import UsageError

    for place, word in enumerate(args, start=1):
        try:
            word.encode()
        except UnicodeEncodeError:
            raise UsageError(
                f"word {place} of the command is not UTF-8.",
                hint="Rename the file, or give its content on stdin.",
            ) from None
        if "\0" in word:
            raise UsageError(f"word {place} of the command contains a NUL character.")


# What the operating system says when the disk, and not the program, is at fault.
_STORAGE = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)


def _show_click_error(error: click.ClickException) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()  # a group without a verb shows its help, on stderr as nothing was asked
        return error.exit_code
    message = error.format_message().rstrip(".")
    near = _near_choice(error, message)
    message += f". {near}" if near else ""
    message += "" if message.endswith("?") else "."
    if isinstance(error, click.UsageError):
        path = error.ctx.command_path if error.ctx else "crmkit"
        _say(f"E_USAGE {message} Try: {path} --help")
    else:
        _say(f"E_FAILED {message}")
    return error.exit_code


def _near_choice(error: click.ClickException, message: str) -> str:
    """What a misspelt choice may stand for."""
    param = error.param if isinstance(error, click.BadParameter) else None
    given = re.match(r".*?'([^']*)' is not one of", message)
    if param is None or given is None or not isinstance(param.type, click.Choice):
        return ""
    return did_you_mean(given[1], [str(choice) for choice in param.type.choices])


def _show_unexpected(error: Exception) -> int:
    if isinstance(error, OSError) and error.errno in _STORAGE:
        _say(f"E_STORAGE {os.strerror(error.errno)}. Free space or choose another place.")
        return 8
    words = " ".join(str(error).split())
    shown = words if len(words) <= 300 else words[:300] + " ..."
    _say(
        f"E_UNEXPECTED {type(error).__name__}: {shown} (a fault in crmkit; crmkit --debug ... shows where)"
    )
    return 1


def _say(text: str) -> None:
    from .pager import remark_text
    from .working import hidden

    with hidden():
        click.echo(remark_text("crmkit: " + " ".join(text.split())), err=True)


def _abandon_stdout() -> None:
    """Nobody reads any more: the interpreter's last flush must not complain either."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # a stream without a file behind it has nothing to flush
        pass


def _open_missing_streams() -> None:
    """Opens what the caller has closed, as with ``>&-``: a database must not become descriptor 1."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free one, which is this
    for number, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))


def _keep_stdout() -> None:
    """Makes descriptor 1 one more way to stderr, and keeps the real one for results alone.

    What a plugin writes past ``sys.stdout``, with ``os.write(1, ...)``, a C library or a program that it
    starts, cannot get between the results then: programs inherit no other descriptor.
    """
    old = sys.stdout
    if not isinstance(old, io.TextIOWrapper):
        return  # closed, or an embedding program's own
    try:
        old.flush()
        kept = os.dup(old.fileno())
        os.dup2(sys.stderr.fileno(), old.fileno())
    except (OSError, ValueError, AttributeError):
        return  # one of the two is closed, so nothing can get between
    sys.stdout = io.TextIOWrapper(
        io.FileIO(kept, "w") if old.write_through else io.BufferedWriter(io.FileIO(kept, "w")),
        encoding=old.encoding, errors=old.errors, line_buffering=old.line_buffering,
        write_through=old.write_through,
    )  # fmt: skip
    # Where the size of the terminal is asked for.
    vars(sys)["__stdout__"] = sys.stdout


def _is_kept_alive() -> bool:
    """Whether a thread that a plugin left behind would keep this process from ending."""
    isolation = sys.modules.get("crmkit.hosting.isolation")
    left = isolation.left_behind if isolation is not None else ()
    return any(thread.is_alive() and not thread.daemon for thread in left)


def _terminated(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def entry() -> None:
    """Console script."""
    _open_missing_streams()
    _keep_stdout()
    # As Ctrl-C: what was begun is undone, and what stands is told.
    signal.signal(signal.SIGTERM, _terminated)
    code = main()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _abandon_stdout()
    except OSError as error:
        code = code or _show_unexpected(error)
        _abandon_stdout()
    if _is_kept_alive():
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    entry()
