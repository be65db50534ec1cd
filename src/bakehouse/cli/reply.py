"""What a command answers: a document for programs and text for people, on stdout; everything else goes to stderr."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import click

from bakehouse.errors import BakehouseError

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Reply:
    """A command's answer; `ok` is False where it has findings or something failed.

    `status` is the exit status of a command that was run in a process of its own.

    Examples
    --------
    >>> Reply("nothing to do", {"findings": []}).exit_code
    0
    """

    text: str
    document: Mapping[str, Any] = field(default_factory=dict)
    ok: bool = True
    status: int | None = None

    @property
    def exit_code(self) -> int:
        """Give 0 if all is well, else 1, or what another process ended with."""
        return self.status or (0 if self.ok else 1)


class UnexpectedError(BakehouseError):
    """A fault that nobody foresaw: most likely one of Bakehouse's own."""


def show(reply: Reply, command: str, as_json: bool) -> int:
    """Print an answer; give the exit code."""
    if as_json:
        _print_document(command, reply.ok, reply.document)
    elif reply.text:
        click.echo(reply.text)
    return reply.exit_code


def show_error(error: BakehouseError, command: str, as_json: bool) -> int:
    """Print what stopped a command; give the exit code."""
    if as_json:
        _print_document(command, False, {"error": error.as_dict()})
    else:
        say(str(error))
    return error.exit_code


def say(text: str) -> None:
    """Print a line for people who watch, on stderr."""
    click.echo(text, err=True)


def explained(error: Exception, debug: bool = False) -> BakehouseError:
    """Give any failure the form of those that were foreseen; with `debug`, print its traceback."""
    if debug:
        traceback.print_exception(error, file=sys.stderr)
    if isinstance(error, BakehouseError):
        return error
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}, in {frames[-1].name}" if frames else None
    cause = "most likely a fault in Bakehouse, not in your feedstock"
    return UnexpectedError(
        f"{type(error).__name__}: {error}", where, cause, "run again with --debug for the traceback, and report it"
    )


def _print_document(command: str, ok: bool, content: Mapping[str, Any]) -> None:
    document = {"schema_version": SCHEMA_VERSION, "command": command, "ok": ok, **content}
    click.echo(json.dumps(document, indent=2, ensure_ascii=False, default=str))
