"""Two bakes of the same feedstock at once end as one would."""

from __future__ import annotations

import json

import pytest

from tests.faults.conftest import Case
from tests.faults.site import finish


@pytest.mark.parametrize(
    "where", ["case", *(pytest.param(each, marks=pytest.mark.nightly) for each in ("moto_case", "rclone_case"))]
)
def test_two_bakes_at_once_agree(where: str, request: pytest.FixtureRequest) -> None:
    case: Case = request.getfixturevalue(where)
    processes = [case.site.start(), case.site.start()]
    for process in processes:
        code, output, messages = finish(process)
        assert (code, json.loads(output)["recipes"][0]["version"]) == (0, case.version), messages
    case.assert_made()
    assert case.site.run()[1]["status"] == "unchanged"
    case.assert_made()
