"""Which tasks are still to be compared with their sources."""

from __future__ import annotations

from bakehouse.plan.sample import level_of, sample_tasks
from bakehouse.writers.tasks import Prepared


class Unchecked:
    """The sampled tasks that no run has compared, worked out once for all elements of a plan.

    Parameters
    ----------
    level
        How much is compared, as in `Context`.
    """

    def __init__(self, level: str) -> None:
        self.level = level
        self.known: tuple[str, frozenset[str], bool] = ("", frozenset(), False)

    def tasks(self, prepared: Prepared) -> frozenset[str]:
        """Name them."""
        return self._of(prepared)[1]

    def is_few(self, prepared: Prepared) -> bool:
        """Say whether they are a sample of all tasks."""
        return self._of(prepared)[2]

    def _of(self, prepared: Prepared) -> tuple[str, frozenset[str], bool]:
        plan = prepared.plan
        if self.known[0] != plan.version:
            found = sample_tasks(plan, self.level) - prepared.checked
            self.known = (plan.version, found, level_of(plan, self.level) == "sampled")
        return self.known
