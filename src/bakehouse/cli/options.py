"""Options that several commands share, each spelled and explained once."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

URL_MAP = "BAKEHOUSE_URL_MAP"
TRUST = "BAKEHOUSE_TRUST_HOSTS"
_DEBUG = "bakehouse.debug"
_MIRROR = re.compile(r"(?P<start>.+?)=(?P<replacement>\w[\w+.-]*://.*|/.*)")


class Mirror(click.ParamType[tuple[str, str]]):
    """Where the beginnings of input URLs are replaced: ``FROM=TO``; several are separated by ``;`` in the environment.

    Examples
    --------
    >>> Mirror().convert("https://example.org/=http://127.0.0.1:8000/", None, None)
    ('https://example.org/', 'http://127.0.0.1:8000/')
    """

    name = "FROM=TO"
    envvar_list_splitter = ";"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Split the text at the ``=`` that a URL or an absolute path follows."""
        found = _MIRROR.fullmatch(str(value))
        if found is None:
            self.fail(f"{value!r} is not FROM=TO, such as https://example.org/=https://mirror.example.net/", param, ctx)
        return found["start"], found["replacement"]


def common(function: F) -> F:
    """Add what every command takes; the frame of the command line reads both."""
    as_json = click.option("--json", is_flag=True, expose_value=False, help="Print one JSON document on stdout.")
    debug = click.option(
        "--debug",
        is_flag=True,
        expose_value=False,
        callback=_remember,
        help="Show tracebacks and all that libraries log.",
    )
    return as_json(debug(function))


def debugging() -> bool:
    """Say whether the running command was called with --debug."""
    context = click.get_current_context(silent=True)
    return bool(context and context.meta.get(_DEBUG))


def _remember(context: click.Context, _: click.Parameter, asked: bool) -> None:
    context.meta[_DEBUG] = asked


project = click.option(
    "--project", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="FOLDER",
    help="The project's folder; by default the one around the working directory.",
)  # fmt: skip
bakery = click.option("--bakery", metavar="NAME", help="One of the project's bakeries, instead of its default one.")
workers = click.option("--workers", type=click.IntRange(min=1), metavar="N", help="How many tasks run at once.")
mirrors = click.option(
    "--mirror", "mirrors", multiple=True, type=Mirror(), envvar=URL_MAP, show_envvar=True,
    help="Read inputs whose URL begins with FROM from TO instead. Repeatable; in the environment, separate by ';'.",
)  # fmt: skip
cache = click.option(
    "--cache", metavar="PATH|URL", help="Keep whole copies of inputs there, and read those that are still current."
)
missing = click.option(
    "--missing", type=click.Choice(["error", "skip"]), default="error", show_default=True,
    help="Stop at an input that is not there, or leave a gap.",
)  # fmt: skip
subdir = click.option(
    "--subdir", "--feedstock-subdir", metavar="FOLDER", help="The feedstock's folder in the repository at PATH or URL."
)
ref = click.option("--ref", metavar="REF", help="Branch, tag or commit of the repository at PATH or URL.")
isolated = click.option(
    "--isolated", is_flag=True,
    help="Run with the feedstock's requirements.txt installed, in an environment that is made once.",
)  # fmt: skip
trusted = click.option(
    "--trust-host", "trusted", multiple=True, metavar="HOST:PORT", envvar=TRUST, show_envvar=True,
    help="Connect to this server though it is not on the public internet: for servers of your own network. Repeatable; "
    "in the environment, separate by spaces.",
)  # fmt: skip
job_id = click.option(
    "--job-id", metavar="JOB",
    help="Follow this job of a service that was started before, and finish what it made, instead of starting one.",
)  # fmt: skip
feedstock = click.argument("feedstocks", nargs=-1, metavar="[ID|PATH|URL]...")
previews = click.option(
    "--previews/--no-previews", default=True, show_default=True, envvar="BAKEHOUSE_PREVIEWS", show_envvar=True,
    help="Make images of what is registered, and a small store of what is big, for the catalog's pages.",
)  # fmt: skip
recipe = click.argument("name", metavar="ID[/RECIPE]")
recipes = click.argument("names", nargs=-1, required=True, metavar="ID[/RECIPE]|(PATH|URL [RECIPE]...)")


def elsewhere(function: F) -> F:
    """Add --subdir and --ref, which say where in a repository a feedstock lies."""
    return subdir(ref(function))


TRAIT = re.compile(r"--([A-Z]\w*\.\w+)(=.*)?", re.DOTALL)


class WithTraits(click.Command):
    """A command that takes ``--Class.trait=value`` as pangeo-forge-runner does, as one hidden option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Turn each into ``--trait Class.trait=value``; the value may also be the next word."""
        words, rest = [], list(args)
        while rest:
            word = rest.pop(0)
            if found := TRAIT.fullmatch(word):
                value = found[2] or f"={rest.pop(0) if rest else ''}"
                words += ["--trait", found[1] + value]
            else:
                words.append(word)
        return super().parse_args(ctx, words)


def traits(function: F) -> F:
    """Add -f and the traits of pangeo-forge-runner."""
    file = click.option(
        "-f", "--config", metavar="FILE", type=click.Path(path_type=Path),
        help="Settings of pangeo-forge-runner: a .py file, which is run, or .json.",
    )  # fmt: skip
    return file(click.option("--trait", "traits", multiple=True, hidden=True)(function))


def prune(default: int | None = None) -> Callable[[F], F]:
    """Add --prune, with a command's own default."""
    return click.option(
        "--prune", type=click.IntRange(min=1), default=default, show_default=default is not None, metavar="N",
        help="Keep the first N inputs of each concat dimension.",
    )  # fmt: skip


def level(function: F) -> F:
    """Add --full and --sampled, which say how much is compared with the sources."""
    full = click.option("--full", "level", flag_value="full", default=None, help="Compare every value with its source.")
    sampled = click.option(
        "--sampled", "level", flag_value="sampled", help="Compare a sample of the tasks with their sources."
    )
    return full(sampled(function))
