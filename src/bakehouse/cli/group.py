"""The command line's frame: one place where answers are printed and failures become messages and exit codes."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from bakehouse.cli.collecting import begin, put_off
from bakehouse.cli.interrupts import INTERRUPTED
from bakehouse.cli.reply import Reply, explained, say, show, show_error
from bakehouse.errors import BakehouseError, UsageError

COMPLETED = ("bake", "update")
"""Commands that leave finished work for their next run."""


class Bakehouse(click.Group):
    """All commands. A command returns a `Reply`; whatever it raises becomes one message and an exit code."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command; exit with 0 if all is well, 1 for findings and failures, 2 for wrong usage."""
        words = list(sys.argv[1:] if args is None else args)
        if not standalone_mode:
            return self._run(words, prog_name or "bakehouse", complete_var, **extra)
        put_off(self._named(words))
        try:
            code = self._run(words, prog_name or "bakehouse", complete_var, **extra)
        finally:
            begin()
        _leave(code)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the commands in the order of their use."""
        return list(self.commands)

    def _run(self, words: list[str], prog_name: str, complete_var: str | None, **extra: Any) -> int:
        as_json, debug, command = "--json" in words, "--debug" in words, self._named(words)
        try:
            found = super().main(words, prog_name, complete_var, standalone_mode=False, **extra)
            return show(found, command, as_json) if isinstance(found, Reply) else int(found or 0)
        except click.Abort as abort:
            return _interrupted(command, prog_name, words, as_json, str(abort.__cause__ or ""))
        except click.ClickException as error:
            return _misused(error, command, as_json)
        except BrokenPipeError:
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115
            return 1
        except Exception as error:
            return show_error(explained(error, debug), command, as_json)

    def _named(self, words: list[str]) -> str:
        """Name the command, and the one below it."""
        group: click.Command | None = self
        names: list[str] = []
        for word in words:
            group = group.commands.get(word) if isinstance(group, click.Group) else None
            if group is None:
                break
            names.append(word)
        return " ".join(names)


def _show_version(context: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked and not context.resilient_parsing:
        import bakehouse

        click.echo(f"bakehouse {bakehouse.__version__}")
        context.exit()


VERSION = click.Option(
    ["--version"],
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_show_version,
    help="Show the version and exit.",
)


def _misused(error: click.ClickException, command: str, as_json: bool) -> int:
    """Report an option or argument that can't be: as click does, or as a document."""
    if not as_json:
        error.show()
        return error.exit_code
    help_words = ["bakehouse", *command.split(), "--help"]
    return show_error(UsageError(error.format_message(), None, None, f"see: {' '.join(help_words)}"), command, as_json)


def _interrupted(command: str, prog_name: str, words: list[str], as_json: bool, reason: str = "") -> int:
    """Say in one line how to go on, and what does without this process; a document says it, too."""
    if reason:
        say(reason)
    again = f"; running it again completes it: {shlex.join([prog_name, *words])}" if command in COMPLETED else ""
    say(f"interrupted{again}")
    if as_json:
        show_error(
            BakehouseError("interrupted", None, reason or None, again.removeprefix("; ") or None), command, as_json
        )
    return INTERRUPTED


def _leave(code: int) -> NoReturn:
    """End the process; after an interrupt, without waiting for threads that are still reading or writing."""
    if code == INTERRUPTED:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
