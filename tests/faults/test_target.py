"""A target that refuses, stalls or cuts answers stops the bake, or is asked again; nothing half-written is visible."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.conftest import Case
from tests.faults.proxy import Fault, Rule

OBJECT, RECEIPT, ROOT = r"\.zarr/sst/c/", r"/receipts/", r"[0-9a-f]\.zarr/zarr\.json$"


def proxy_of(case: Case) -> Any:
    assert case.proxy is not None
    return case.proxy


def stops(case: Case, *said: str) -> None:
    code, told = case.site.run()
    assert (code, told["ok"]) == (1, False), told
    text = str(told["error"])
    assert [words for words in said if words not in text] == [], text
    case.assert_unpublished()


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (Rule("PUT", OBJECT, nth=80, times=None), "sst/c/"),
        pytest.param(Rule("PUT", RECEIPT, nth=2, times=None), "receipts/", marks=pytest.mark.nightly),
        (Rule("PUT", ROOT, times=None), "zarr.json"),
        pytest.param(Rule("PUT", r"\.proof\.parquet$", times=None), "proof.parquet", marks=pytest.mark.nightly),
        pytest.param(Rule("GET", r"", nth=30, times=None), "cannot", marks=pytest.mark.nightly),
    ],
    ids=["the 80th object", "a receipt", "the root", "the proof", "the 30th read"],
)
def test_what_may_not_be_written_stops_the_bake(moto_case: Case, rule: Rule, said: str) -> None:
    proxy_of(moto_case).fail(rule, Fault(status=403))
    code, told = moto_case.site.run()
    assert (code, told["ok"]) == (1, False), told
    assert said in str(told["error"]) and "check the address, the credentials and their rights" in str(told["error"])
    proxy_of(moto_case).heal()
    moto_case.assert_unpublished()
    moto_case.assert_completes()


def test_a_server_that_is_overloaded_for_good_stops_the_bake(moto_case: Case, impatient: None) -> None:
    proxy_of(moto_case).fail(Rule("PUT", OBJECT, nth=100, times=None), Fault(status=503))
    stops(moto_case, "sst/c/", "503")
    moto_case.assert_completes()


def test_a_server_that_is_overloaded_now_and_then_is_asked_again(moto_case: Case) -> None:
    for nth in range(5, 200, 50):
        proxy_of(moto_case).fail(Rule("PUT", "", nth=nth), Fault(status=503))
        proxy_of(moto_case).fail(Rule("GET", "", nth=nth), Fault(status=500))
    code, told = moto_case.site.run()
    assert (code, told["status"]) == (0, "published"), told
    moto_case.assert_made()


def test_answers_that_are_slow_or_cut_are_asked_for_again(moto_case: Case) -> None:
    for nth in range(3, 200, 40):
        proxy_of(moto_case).fail(Rule("GET", OBJECT, nth=nth), Fault(truncated=True))
        proxy_of(moto_case).fail(Rule("PUT", OBJECT, nth=nth), Fault(silent=True))
        proxy_of(moto_case).fail(Rule("PUT", RECEIPT, nth=nth), Fault(delay_s=0.5))
    code, told = moto_case.site.run()
    assert (code, told.get("status")) == (0, "published"), told
    moto_case.assert_made()


def test_reads_that_are_always_cut_stop_the_bake(moto_case: Case, impatient: None) -> None:
    proxy_of(moto_case).fail(Rule("GET", OBJECT, times=None), Fault(truncated=True))
    stops_after_healing(moto_case)
    moto_case.assert_completes()


def stops_after_healing(case: Case) -> None:
    code, told = case.site.run()
    assert (code, told["ok"]) == (1, False), told
    proxy_of(case).heal()
    case.assert_unpublished()


@pytest.mark.parametrize(
    "fault", [Fault(landed=True, silent=True), Fault(landed=True, status=500)], ids=["no", "a wrong"]
)
def test_a_root_that_landed_with_no_or_a_wrong_answer_counts_as_written(moto_case: Case, fault: Fault) -> None:
    proxy_of(moto_case).fail(Rule("PUT", ROOT), fault)
    code, told = moto_case.site.run()
    assert (code, told.get("status")) == (0, "published"), told
    roots = [
        r
        for r in proxy_of(moto_case).log
        if r.method == "PUT" and r.path.endswith(f"{moto_case.version}.zarr/zarr.json")
    ]
    assert roots[0].conditional and roots[0].status in (0, 500)
    moto_case.assert_made()


def test_a_lost_answer_to_any_write_is_made_good(moto_case: Case) -> None:
    for nth in range(1, 250, 30):
        proxy_of(moto_case).fail(Rule("PUT", "", nth=nth), Fault(landed=True, silent=True))
    code, told = moto_case.site.run()
    assert (code, told.get("status")) == (0, "published"), told
    moto_case.assert_made()
