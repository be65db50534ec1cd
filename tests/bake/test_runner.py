"""Which of Beam's engines runs a bake on this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import xarray as xr
from apache_beam.runners.portability.prism_runner import PrismRunner

from tests.bake.kitchen import make_kitchen
from tests.oracle import assert_same

NOTE_PROCESS = """
import os
from pathlib import Path

def note(element):
    Path({path!r}).write_text(str(os.getpid()))
    return element
"""


def test_a_bake_stays_in_this_process_and_never_asks_for_prism(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def ask(*asking: Any) -> None:
        asked.append(asking)
        raise RuntimeError("Prism is not to be asked")

    monkeypatch.setattr(PrismRunner, "run_pipeline", ask)
    noted = tmp_path / "process"
    functions = NOTE_PROCESS.format(path=str(noted))
    kitchen = make_kitchen(tmp_path, before="\n    | beam.Map(note)", functions=functions)
    kitchen.bake()
    assert not asked
    assert noted.read_text() == str(os.getpid())
    assert_same(xr.open_zarr(kitchen.store, chunks=None).load(), kitchen.expected())
