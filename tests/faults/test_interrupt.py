"""Ctrl-C ends a bake with one line and exit status 130; the same command goes on from there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.faults.conftest import Case
from tests.faults.site import finish


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"path": r"\.zarr/sst/c/", "nth": 80}, id="while writing"),
        pytest.param({"path": r"\.proof\.parquet$"}, id="before publication", marks=pytest.mark.nightly),
    ],
)
def test_ctrl_c(case: Case, fault: dict[str, Any]) -> None:
    code, output, messages = finish(case.site.start({**fault, "signal": "SIGINT"}))
    assert code == 130, messages
    assert json.loads(output)["error"]["message"] == "interrupted"
    lines = messages.splitlines()
    assert "interrupted; running it again completes it: " in lines[-1] and "Traceback" not in messages
    case.assert_unpublished()
    case.assert_completes()
