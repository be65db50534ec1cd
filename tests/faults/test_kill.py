"""A bake that is killed with SIGKILL leaves the last good version alone, and the next one finishes its work."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from tests.faults.conftest import Case
from tests.faults.site import finish

OBJECT, RECEIPT, CHECK = r"\.zarr/sst/c/", r"/receipts/", r"/checks/"
PROOF, ARRAY, ROOT = r"\.proof\.parquet$", r"[0-9a-f]\.zarr/sst/zarr\.json$", r"[0-9a-f]\.zarr/zarr\.json$"
ENTRY = r"/catalog/sea/sea\.json$"
rarely = pytest.mark.nightly


def point(name: str, *marks: Any, **fault: Any) -> Any:
    """Name a write at which the process dies."""
    return pytest.param(fault, id=name, marks=marks)


WRITING = [
    point("at the first object", rarely, path=OBJECT),
    point("between objects", path=OBJECT, nth=100, after=True),
    point("between an object and its receipt", rarely, path=RECEIPT),
    point("after a receipt", path=RECEIPT, nth=2, after=True),
    point("before the last receipt", rarely, path=RECEIPT, nth=3),
    point("at a comparison", rarely, path=CHECK, nth=2),
]
PUBLISHING = [
    point("between the last write and the proof", rarely, path=PROOF),
    point("after the proof", path=PROOF, after=True),
    point("between array documents", rarely, path=ARRAY, after=True),
    point("before the root", rarely, path=ROOT),
]
PUBLISHED = [point("between the root and the entry", path=ROOT, after=True), point("at the entry", rarely, path=ENTRY)]


def dies(case: Case, fault: dict[str, Any]) -> None:
    code, output, messages = finish(case.site.start(fault))
    assert (code, output) == (-signal.SIGKILL, ""), messages


@pytest.mark.parametrize("fault", [*WRITING, *PUBLISHING])
def test_before_the_root_nothing_is_visible(case: Case, fault: dict[str, Any]) -> None:
    dies(case, fault)
    case.assert_unpublished()
    case.assert_completes()


@pytest.mark.parametrize("fault", PUBLISHED)
def test_between_root_and_entry_the_last_good_version_stays_registered(case: Case, fault: dict[str, Any]) -> None:
    dies(case, fault)
    case.assert_good()
    case.assert_completes()


@rarely
def test_after_the_entry_the_new_version_is_there(case: Case) -> None:
    dies(case, {"path": ENTRY, "after": True})
    case.assert_made()
    assert case.site.run()[1]["status"] == "unchanged"
    case.assert_made()


@rarely
def test_a_bake_that_is_killed_again_and_again_comes_to_its_end(case: Case) -> None:
    for number in (1, 40, 3, 70, 2, 90):
        dies(case, {"path": OBJECT, "nth": number})
        case.assert_unpublished()
    case.assert_completes()
