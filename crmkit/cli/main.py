"""The root command. Nouns are imported when they are used, so that start-up stays fast."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from .. import __version__
from ..errors import CrmkitError

if TYPE_CHECKING:
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
    "report": ("report", "List, show and run reports."),
    "plugin": ("plugin", "List, check, enable and disable plugins."),
    "db": ("db", "Show and upgrade the database schema."),
    "doctor": ("doctor", "Check this workspace and say what to do."),
}


class Nouns(click.Group):
    """A group whose members are imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(NOUNS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in NOUNS:
            return None
        module = importlib.import_module(f".{NOUNS[cmd_name][0]}", __package__)
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in NOUNS and not args[0].startswith("-"):
            raise click.exceptions.NoSuchCommand(args[0], possibilities=NOUNS, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in NOUNS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        # Inside click's own handler, which would end a closed pipe (`| head`) with exit 1.
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            _abandon_stdout()
            return 0
        return result


class State:
    """What the root options said; commands get it by ``click.pass_obj``."""

    def __init__(self, workspace: str | None, safe_mode: bool, debug: bool, lang: str | None):
        self.workspace, self.safe_mode, self.debug, self.lang = workspace, safe_mode, debug, lang

    def open(self, **options: Any) -> Crm:
        """Opens the workspace that the root options name; labels are in its language from now on.

        When the command ends, every plugin that was left out or failed on the way is named.
        """
        from ..workspace import open_workspace

        crm = open_workspace(
            self.workspace, safe_mode=self.safe_mode, language=self.lang, **options
        )
        self.lang = crm.settings.language
        click.get_current_context().find_root().call_on_close(lambda: _name_faults(crm))
        return crm


def _name_faults(crm: Crm) -> None:
    # One that its manifest and its last check name alike is said once.
    for fault in dict.fromkeys(crm.host.faults):
        _say(f"plugin {fault}")


@click.group(cls=Nouns, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="crmkit", message="%(prog)s %(version)s")
@click.option("-w", "--workspace", metavar="DIR", help="Workspace folder; else CRMKIT_WORKSPACE, else the nearest crmkit.toml upward.")  # fmt: skip
@click.option("--safe-mode", is_flag=True, help="Load no plugin but the built-in ones.")
@click.option(
    "--lang", type=click.Choice(["en", "zh"]), help="Language of labels; else the workspace's."
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def cli(
    ctx: click.Context, workspace: str | None, safe_mode: bool, lang: str | None, debug: bool
) -> None:
    """Integrate, analyse and act on customers, with a plugin for each industry.

    Results go to stdout, remarks to stderr. Exit codes: 0 done, 1 failed, 2 asked wrongly, 3 some
    rows were rejected, 4 not permitted, 5 configuration does not fit, 6 busy, 7 a plugin failed,
    8 storage full or failing, 130 interrupted.

    Example: crmkit demo telecom
    """
    ctx.obj = State(workspace, safe_mode, debug, lang)


def main(argv: list[str] | None = None) -> int:
    """Runs the command line and returns its exit code (design section 4).

    Args:
        argv: words after ``crmkit``; None takes those of the process.
    """
    args = sys.argv[1:] if argv is None else argv
    debug = "--debug" in args
    try:
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


# What the operating system says when the disk, and not the program, is at fault.
_STORAGE = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)


def _show_click_error(error: click.ClickException) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()  # a group without a verb shows its help, on stderr as nothing was asked
        return error.exit_code
    message = error.format_message().rstrip(".")
    message += "" if message.endswith("?") else "."
    if isinstance(error, click.UsageError):
        path = error.ctx.command_path if error.ctx else "crmkit"
        _say(f"E_USAGE {message} Try: {path} --help")
    else:
        _say(f"E_FAILED {message}")
    return error.exit_code


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
    click.echo("crmkit: " + " ".join(text.split()), err=True)


def _abandon_stdout() -> None:
    """Nobody reads any more: the interpreter's last flush must not complain either."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # a stream without a file behind it has nothing to flush
        pass


def entry() -> None:
    """Console script."""
    code = main()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _abandon_stdout()
    except OSError as error:
        code = code or _show_unexpected(error)
        _abandon_stdout()
    sys.exit(code)


if __name__ == "__main__":
    entry()
