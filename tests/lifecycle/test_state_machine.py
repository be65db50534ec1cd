"""Any order of bakes, updates, refreshes, crashes, rollbacks and collections, against a model of what must be there."""

from __future__ import annotations

import itertools
import shutil
import tempfile
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from bakehouse.errors import BakehouseError
from bakehouse.storage import Target
from bakehouse.writers.store import RecordingStore
from tests.lifecycle.larder import CUT, days, make_larder, without_beam

LAYOUTS = [
    CUT,
    CUT + ", zarr_format=2",
    'target_chunks={"time": 2, "lat": 1}, shards={"time": 4, "lat": 2}',
    'target_chunks={"time": 3}, shards={"time": 6}',
]


class Crash(BaseException):
    """What a crash is to the code that it hits: nothing that it could handle."""


class Faulty:
    """Let the nth write fail, before it lands or after; counts all writes otherwise."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.left, self.after = 0, False
        for name in ("put", "create", "replace", "copy"):
            patch.setattr(Target, name, self._around(getattr(Target, name)))
        write = RecordingStore.set

        async def set_or_crash(store: RecordingStore, key: str, value: Any) -> None:
            due = self._due()
            if due and not self.after:
                raise Crash
            await write(store, key, value)
            if due:
                raise Crash

        patch.setattr(RecordingStore, "set", set_or_crash)

    def _due(self) -> bool:
        self.left -= 1
        return self.left == 0

    def _around(self, action: Callable[..., Any]) -> Callable[..., Any]:
        def act(*args: Any, **kwargs: Any) -> Any:
            due = self._due()
            if due and not self.after:
                raise Crash
            found = action(*args, **kwargs)
            if due:
                raise Crash
            return found

        return act


Content = tuple[tuple[int, int, float], ...]
"""What a version holds: for each input, its first day, its days, and what is added to its values."""


class Life(RuleBasedStateMachine):
    """A store through its life; `inputs` are those upstream, `versions` what each version that was seen must hold."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.without = without_beam(objects=3)
        self.without.__enter__()
        self.faulty = Faulty(self.patch)
        self.root = Path(tempfile.mkdtemp())
        self.inputs: list[tuple[int, int, float]] = []
        self.versions: dict[str, Content] = {}
        self.content: Content = ()
        self.numbers = itertools.count(1)

    def teardown(self) -> None:
        """Leave nothing behind."""
        self.without.__exit__(None, None, None)
        self.patch.undo()
        shutil.rmtree(self.root, ignore_errors=True)

    # What upstream does

    @initialize(layout=st.sampled_from(LAYOUTS), lengths=st.lists(st.integers(1, 4), min_size=1, max_size=2))
    def begin(self, layout: str, lengths: list[int]) -> None:
        """Bake for the first time."""
        self.larder = make_larder(self.root / "sea", options=layout)
        self._publish(lengths)
        self.act(self.larder.bake, tuple(self.inputs))

    def _publish(self, lengths: list[int]) -> None:
        for length in lengths:
            start = sum(n for _, n, _ in self.inputs)
            self.inputs.append((start, length, 0.0))
            self.larder.add(days(start, length))

    @rule(lengths=st.lists(st.integers(1, 4), min_size=1, max_size=2))
    def grow(self, lengths: list[int]) -> None:
        """New inputs appear."""
        if len(self.inputs) < 7:
            self._publish(lengths)

    @rule(data=st.data())
    def change(self, data: st.DataObject) -> None:
        """An input is replaced by one of the same length."""
        i = data.draw(st.integers(0, len(self.inputs) - 1))
        start, length, _ = self.inputs[i]
        self.inputs[i] = (start, length, next(self.numbers) / 16)
        self.larder.write((i,), days(*self.inputs[i]))

    # What we do

    def act(self, action: Callable[[], Any], content: Content) -> None:
        """Do something that publishes this content if nothing happens."""
        action()
        self._note(content)

    def _note(self, content: Content) -> None:
        self.content = content
        self.versions[str(self.larder.entry.version)] = content

    def appended(self) -> Content:
        """Give what an update without `changed` comes to: kept inputs as they are stored."""
        return (*self.content, *self.inputs[len(self.content) :])

    @rule()
    def bake(self) -> None:
        """Bake what is there."""
        self.act(self.larder.bake, tuple(self.inputs))

    @rule()
    def update(self) -> None:
        """Append what is new."""
        self.act(self.larder.update, self.appended())

    @rule()
    def update_changed(self) -> None:
        """Append what is new, and correct what changed."""
        self.act(lambda: self.larder.update(changed=True), tuple(self.inputs))

    @rule()
    def refresh(self) -> None:
        """Build all anew."""
        self.act(lambda: self.larder.bake(refresh=True), tuple(self.inputs))

    @rule()
    def roll_back(self) -> None:
        """Go back to the version before."""
        before = self.larder.entry.version
        try:
            found = self.larder.rollback()
        except BakehouseError as error:
            assert "no earlier version" in str(error)
            assert self.larder.entry.version == before
            return
        assert found.version != before
        self.content = self.versions[str(found.version)]

    @rule(
        what=st.sampled_from(["bake", "update", "changed", "refresh"]),
        nth=st.integers(1, 25),
        after=st.booleans(),
    )
    def crash(self, what: str, nth: int, after: bool) -> None:
        """Begin something, and be cut off at some write; whether it came about, the entry and the root say."""
        wanted = self.appended() if what == "update" else tuple(self.inputs)
        action = {
            "bake": self.larder.bake,
            "update": self.larder.update,
            "changed": lambda: self.larder.update(changed=True),
            "refresh": lambda: self.larder.bake(refresh=True),
        }[what]
        before = str(self.larder.entry.version)
        self.faulty.left, self.faulty.after = nth, after
        with suppress(Crash):
            action()
        self.faulty.left = 0
        if (version := str(self.larder.entry.version)) != before:
            self._note(wanted)
        elif self.seen() != self.content:  # its root is there, its entry is to come
            assert self.seen() == wanted
            self.act(
                self.larder.update if what in ("update", "changed") else self.larder.bake, self.appended_to(wanted)
            )
        assert version

    def appended_to(self, content: Content) -> Content:
        """Give what an update of a store with this content comes to."""
        return (*content, *self.inputs[len(content) :])

    @rule(keep=st.integers(0, 2))
    def collect(self, keep: int) -> None:
        """Remove what nothing needs."""
        from bakehouse.bake.collect import collect

        collect(self.larder.catalog, self.larder.job().target, self.larder.entry, keep, 0, False)

    # What must hold

    def seen(self) -> Content | None:
        """Recognise what the entry's store holds, if it is one of the contents that may be there."""
        dataset = self.larder.opened()
        may = [self.content, tuple(self.inputs), self.appended()]
        return next((content for content in may if holds(dataset, content)), None)

    @invariant()
    def the_entry_opens_with_its_values(self) -> None:
        """What the catalog names is what the model says, for readers of either kind."""
        if not self.content:
            return
        for consolidated in (True, False):
            assert holds(self.larder.opened(consolidated=consolidated), self.content), consolidated

    @invariant()
    def earlier_versions_open_with_their_values(self) -> None:
        """What was published before, and is there, has its values; versions of one prefix begin alike."""
        if not self.content:
            return
        for version in self.larder.entry.previous:
            path = Path(version.url)
            if path == self.larder.store or not any((path / name).exists() for name in ("zarr.json", ".zmetadata")):
                continue
            dataset, content = self.larder.opened(str(path)), self.versions[version.version]
            length = min(dataset.sizes["time"], sum(n for _, n, _ in content))
            assert holds(dataset.isel(time=slice(length)), content, length), version


def holds(dataset: xr.Dataset, content: Content, length: int | None = None) -> bool:
    """Say whether a dataset is this content, or its beginning, and nothing else."""
    parts = [days(*each) for each in content]
    wanted = np.concatenate([part.sst.values for part in parts])[:length]
    times = np.concatenate([part.time.values for part in parts])[:length]
    same = dataset.sizes["time"] == len(times) and bool((dataset.time.values == times).all())
    return same and bool((dataset.sst.values == wanted).all())


def live(examples: int, steps: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run_state_machine_as_test(
            Life,
            settings=settings(
                max_examples=examples, stateful_step_count=steps, deadline=None,
                suppress_health_check=list(HealthCheck), phases=[Phase.generate],
            ),
        )  # fmt: skip


def test_a_store_s_life() -> None:
    live(4, 8)


@pytest.mark.nightly
def test_many_long_lives_of_a_store() -> None:
    live(60, 25)
