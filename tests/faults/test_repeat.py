"""Every bundle may run three times, as runners that process at least once do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.conftest import case_of
from tests.faults.site import Site


@pytest.mark.parametrize("mode", ["in_memory", pytest.param("multi_processing", marks=pytest.mark.nightly)])
def test_bundles_that_run_three_times_change_nothing(first: Site, second: Site, tmp_path: Path, mode: str) -> None:
    options = {"direct_runner_bundle_repeat": 2, "direct_running_mode": mode}
    case = case_of(first.copy(tmp_path / "site", options=options), first, second)
    case.assert_completes()
    before, written = case.site.stamps(), case.site.finished(case.version)
    assert case.site.run()[1]["status"] == "unchanged"
    assert {key: case.site.stamps()[key] for key in written} == {key: before[key] for key in written}
