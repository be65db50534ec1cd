"""A process that runs snippets, one JSON document a line in, one out: a program that hangs can be ended.

Run as ``python -m bakehouse.site.worker``; whatever a snippet prints goes to stderr.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import traceback
import warnings
from typing import Any


def main() -> None:
    """Answer until stdin ends."""
    answers, sys.stdout = sys.stdout, sys.stderr
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        answers.write(json.dumps(answer(json.loads(line))) + "\n")
        answers.flush()


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    """Run one snippet and compare what it opens with what the entry says.

    Returns
    -------
    ``outcome`` is ``opened``, ``unavailable`` (a package or the store is not there), ``silent`` (its server or bucket
    does not answer) or ``failed``; with a ``detail``, and for an opened dataset its ``html``, if that was asked for.
    """
    try:
        for package in asked["packages"]:
            importlib.metadata.version(package)
        names: dict[str, Any] = {}
        exec(compile(asked["code"], "<snippet>", "exec"), names)
        return _opened(names["ds"], asked)
    except importlib.metadata.PackageNotFoundError as error:
        return {"outcome": "unavailable", "detail": f"{error.name} is not installed where this page was built"}
    except Exception as error:
        return {"outcome": _kind(error), "detail": _reason(error)}


def _opened(ds: Any, asked: dict[str, Any]) -> dict[str, Any]:
    found = {str(name) for name in ds.variables}
    if lost := sorted(set(asked["variables"]) - found):
        return {"outcome": "failed", "detail": f"the dataset lacks {', '.join(lost[:5])}, which the entry names"}
    html = {"html": ds._repr_html_()} if asked.get("html") else {}
    return {"outcome": "opened", "detail": f"{len(found)} variables", **html}


def _kind(error: BaseException | None) -> str:
    """Tell failures of the place from those of the code; the causes of an error are asked, too."""
    while error:
        if isinstance(error, FileNotFoundError | PermissionError):
            return "unavailable"
        if isinstance(error, OSError) or type(error).__module__.startswith(("botocore", "obstore", "aiohttp")):
            return "silent"
        error = error.__cause__ or error.__context__
    return "failed"


def _reason(error: Exception) -> str:
    lines = "".join(traceback.format_exception_only(error)).strip().splitlines()
    text = lines[0] if lines else type(error).__name__
    return (text if len(lines) < 2 else f"{text} {lines[-1].strip()}")[:300]


if __name__ == "__main__":
    main()
