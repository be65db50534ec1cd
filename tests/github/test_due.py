"""Which feedstocks are updated when."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bakehouse.catalog.register import register
from bakehouse.meta.schedules import WORDS, is_schedule, last_before, next_after
from tests.github.baker import MOMENT, Baker
from tests.github.standin import github
from tests.github.test_command import read_outputs

BAKED = MOMENT  # a Sunday, 2026-11-01 12:00 UTC


def baker(folder: Path, update: str, baked: bool = True) -> Baker:
    made = Baker(folder)
    made.start()
    meta = made.root / "feedstocks/sst/meta.yaml"
    meta.write_text(meta.read_text() + f"update: {update}\n")
    if baked:
        register(made.root / "catalog", made.bake(published_at=BAKED))
    return made


def ids(made: Baker, now: datetime, **environment: str) -> Any:
    return made.document("due", "--now", now.isoformat(), **environment)["feedstocks"]


@pytest.mark.parametrize(
    ("schedule", "first"),
    [
        ("hourly", datetime(2026, 11, 1, 13)), ("daily", datetime(2026, 11, 2)), ("weekly", datetime(2026, 11, 2)),
        ("monthly", datetime(2026, 12, 1)), ("yearly", datetime(2027, 1, 1)),
        ('"30 6 * * 3"', datetime(2026, 11, 4, 6, 30)), ('"*/15 * * * *"', datetime(2026, 11, 1, 12, 15)),
        ('"0 0 31 * *"', datetime(2026, 12, 31)), ('"0 0 29 2 *"', datetime(2028, 2, 29)),
    ],
)  # fmt: skip
def test_a_feedstock_is_due_from_the_first_scheduled_moment_after_it_was_published(
    tmp_path: Path, schedule: str, first: datetime
) -> None:
    made, first = baker(tmp_path, f"{{schedule: {schedule}}}"), first.replace(tzinfo=UTC)
    assert ids(made, first - timedelta(minutes=1)) == []
    assert ids(made, first) == ["sst"]
    assert ids(made, first + timedelta(days=400)) == ["sst"]


def test_what_was_never_published_is_not_updated(tmp_path: Path) -> None:
    assert ids(baker(tmp_path, "{schedule: daily}", baked=False), BAKED + timedelta(days=9)) == []


def test_a_feedstock_that_is_broken_keeps_no_other(tmp_path: Path) -> None:
    made = baker(tmp_path, "{schedule: daily}")
    (made.root / "feedstocks/broken").mkdir()
    (made.root / "feedstocks/broken/meta.yaml").write_text("title: [")
    assert ids(made, BAKED + timedelta(days=9)) == ["sst"]


def test_an_update_that_was_started_is_not_started_again(tmp_path: Path) -> None:
    made = baker(tmp_path, "{schedule: weekly}")
    with github() as hub:
        hub.runs = [{"display_title": "update sst", "created_at": "2026-11-02T00:17:00Z"},
                    {"display_title": "bake sst", "created_at": "2026-11-09T00:17:00Z"}]  # fmt: skip
        environment = hub.environment()
        assert ids(made, datetime(2026, 11, 2, 1, tzinfo=UTC), **environment) == []
        assert ids(made, datetime(2026, 11, 8, 23, tzinfo=UTC), **environment) == []
        assert ids(made, datetime(2026, 11, 9, 1, tzinfo=UTC), **environment) == ["sst"]


def test_how_each_publishes_is_handed_to_the_jobs(tmp_path: Path) -> None:
    made, out = baker(tmp_path, "{schedule: daily, publish: pull-request}"), tmp_path / "out"
    ids(made, BAKED + timedelta(days=1), GITHUB_OUTPUT=str(out))
    said = {name: json.loads(value) for name, value in read_outputs(out.read_text()).items()}
    assert said == {"feedstocks": ["sst"], "matrix": {"include": [{"feedstock": "sst", "publish": "pull-request"}]}}


@given(
    st.sampled_from([*WORDS, "*/7 3,4 * 2-5 mon", "0 0 1 1 1"]),
    st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1)),
)
def test_the_last_moment_before_and_the_next_after_enclose_every_moment(schedule: str, moment: datetime) -> None:
    moment = moment.replace(tzinfo=UTC)
    before, after = last_before(schedule, moment), next_after(schedule, moment)
    assert before is not None and after is not None
    assert before <= moment < after
    assert next_after(schedule, before) == after


@pytest.mark.parametrize(
    "text",
    ["", "often", "* * * *", "* * * * * *", "60 0 * * *", "0 24 * * *", "0 0 0 * *", "0 0 * 13 *", "0 0 30 2 *",
     "a b c d e", "0 0 * * *; rm", "@daily", "0 0 L * *\n"],
)  # fmt: skip
def test_what_is_no_schedule_is_refused(text: str) -> None:
    assert not is_schedule(text)
