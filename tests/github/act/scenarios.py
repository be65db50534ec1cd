"""What is tried of the flows: each scenario runs workflows, asserts what has to come of them, and says what did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.github.act.bench import Bench


@dataclass(frozen=True)
class Scenario:
    """One thing that happens on GitHub.

    `tells` says what was done, `attack` that somebody meant harm; the result of `play` says what came of it. What is
    `nightly` is too slow for every change.
    """

    flow: str
    name: str
    tells: str
    play: Callable[[Bench], str]
    attack: bool = False
    nightly: bool = False
    cloud: bool = False
    engine: bool = False


SCENARIOS: list[Scenario] = []


def scenario(
    flow: str, *, attack: bool = False, nightly: bool = False, cloud: bool = False, engine: bool = False
) -> Callable[[Callable[[Bench], str]], Callable[[Bench], str]]:
    """Add a scenario; its docstring says what was done. With `cloud`, stores lie on a loopback S3 endpoint;
    with `engine`, the repository is a copy of this one."""

    def add(play: Callable[[Bench], str]) -> Callable[[Bench], str]:
        tells = " ".join((play.__doc__ or "").split())
        SCENARIOS.append(Scenario(flow, play.__name__, tells, play, attack, nightly, cloud, engine))
        return play

    return add
