"""Whether targets are met."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Verdict:
    """A target, and what was found."""

    what: str
    target: str
    found: str
    met: bool | None

    @property
    def mark(self) -> str:
        """Say in a word whether the target is met."""
        return "open" if self.met is None else "met" if self.met else "missed"


def verdicts(said: dict[str, Any]) -> Iterator[Verdict]:
    """Compare ours with each target, and its peak memory with the fastest packaged peer's."""
    ran = [each for each in said["contestants"] if each["runs"]]
    ours = next((each for each in ran if each["kind"] == "ours"), None)
    for target in said["targets"]:
        yield _speed(target, ours, _best(ran, target["against"]))
    if fastest := _best(ran, "packaged"):
        yield _memory(ours, fastest["peak_bytes"][0], f"memory: {fastest['name']}")
    if bound := said.get("bound_bytes"):
        yield _memory(ours, bound, "memory: bound")


def _best(ran: list[dict[str, Any]], against: str) -> dict[str, Any] | None:
    fitting = [each for each in ran if each["kind"] == against or each["name"].startswith(against)]
    return min(fitting, key=lambda each: each["work_s"][0], default=None)


def _speed(target: dict[str, Any], ours: dict[str, Any] | None, best: dict[str, Any] | None) -> Verdict:
    plus = f" + {target['plus_s']:g} s" if target["plus_s"] else ""
    aim = f"≤ {target['factor']:g} × its time{plus}" if target["at_most"] else f"≥ {target['factor']:g} × as fast"
    what = f"best {target['against']}" + (f": {best['name']}" if best and best["name"] != target["against"] else "")
    if not ours or not best:
        return Verdict(what, aim, "", None)
    mine, theirs = ours["work_s"][0], best["work_s"][0]
    if target["at_most"]:
        limit = target["factor"] * theirs + target["plus_s"]
        return Verdict(what, aim, f"{mine:.2f} s; limit {limit:.2f} s", mine <= limit)
    return Verdict(what, aim, f"{theirs / mine:.2f} ×", theirs / mine >= target["factor"])


def _memory(ours: dict[str, Any] | None, limit: float, what: str) -> Verdict:
    aim = f"peak ≤ {limit / 1e6:,.0f} MB"
    if not ours:
        return Verdict(what, aim, "", None)
    return Verdict(what, aim, f"{ours['peak_bytes'][0] / 1e6:,.0f} MB", ours["peak_bytes"][0] <= limit)
