"""The root command. Nouns are imported when they are used, so that start-up stays fast."""

from __future__ import annotations

import importlib
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
        if args and args[0] not in NOUNS:
            import difflib

            near = difflib.get_close_matches(args[0], NOUNS, n=3)
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            ctx.fail(f"No such command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in NOUNS.items()])


class State:
    """What the root options said; commands get it by ``click.pass_obj``."""

    def __init__(self, workspace: str | None, safe_mode: bool, debug: bool, lang: str | None):
        self.workspace, self.safe_mode, self.debug, self.lang = workspace, safe_mode, debug, lang

    def open(self, **options: Any) -> Crm:
        """Opens the workspace that the root options name."""
        from ..workspace import open_workspace

        return open_workspace(
            self.workspace, safe_mode=self.safe_mode, language=self.lang, **options
        )


@click.group(cls=Nouns, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="crmkit", message="%(prog)s %(version)s")
@click.option("-w", "--workspace", metavar="DIR", help="Workspace folder; else CRMKIT_WORKSPACE, else the nearest crmkit.toml upward.")  # fmt: skip
@click.option("--safe-mode", is_flag=True, help="Load no plugin at all.")
@click.option("--lang", type=click.Choice(["en", "zh"]), help="Language of labels; else the workspace's.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def cli(
    ctx: click.Context, workspace: str | None, safe_mode: bool, lang: str | None, debug: bool
) -> None:
    """Integrate, analyse and act on customers, with a plugin for each industry."""
    ctx.obj = State(workspace, safe_mode, debug, lang)


def main(argv: list[str] | None = None) -> int:
    """Runs the command line and returns its exit code (design section 4)."""
    args = sys.argv[1:] if argv is None else argv
    try:
        result = cli.main(args=args, prog_name="crmkit", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        click.echo("interrupted; the same command resumes.", err=True)
        return 130
    except CrmkitError as error:
        if "--debug" in args:
            raise
        click.echo(f"crmkit: {error.code} {error}", err=True)
        return error.exit_code
    except BrokenPipeError:
        # `| head` ends quietly: nothing more can be written, also not at interpreter exit.
        sys.stdout = None  # type: ignore[assignment]
        return 0


def entry() -> None:
    """Console script."""
    sys.exit(main())
