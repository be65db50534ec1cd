"""GRIB files opened without xarray's help are what xarray opens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from bakehouse.errors import SourceError
from bakehouse.openers import messages
from bakehouse.openers.messages import open_messages
from bakehouse.openers.opened import OPEN_FILES, close_all
from bakehouse.openers.raw import Raw
from bakehouse.openers.xarray import open_dataset
from bakehouse.storage import make_source
from tests.engine.gribs import write_grib

NO_INDEX: dict[str, Any] = {"backend_kwargs": {"indexpath": ""}}


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        pytest.param({}, {}, id="several times"),
        pytest.param({"days": 1}, {}, id="one time"),
        pytest.param({"edition": 1, "missing": True}, {}, id="edition 1, missing values"),
        pytest.param({"names": ("t", "u"), "levels": (850, 500)}, {}, id="levels"),
        pytest.param({"names": ("2t", "10u")}, {"filter_by_keys": {"shortName": "2t"}}, id="a keyword of cfgrib's"),
        pytest.param({}, {"time_dims": ["valid_time"]}, id="other dimensions of time"),
        pytest.param({"days": 1}, {"squeeze": False}, id="dimensions of length one"),
    ],
)
def test_what_xarray_opens_is_what_is_opened(tmp_path: Path, written: dict[str, Any], asked: dict[str, Any]) -> None:
    path = str(tmp_path / "a.grib2")
    write_grib(Path(path), **written)
    expected = xr.open_dataset(path, engine="cfgrib", decode_cf=False, cache=False, **NO_INDEX, **asked)
    found = open_messages(path, {**NO_INDEX, **asked})
    assert found.coords == set(map(str, expected.coords))
    assert _without_history(found.attrs) == _without_history(expected.attrs)
    assert found.encoding == expected.encoding
    variables = Raw.of(expected).variables
    assert list(found.variables) == list(variables)
    for name, variable in variables.items():
        assert found.variables[name].identical(variable), name
        assert found.variables[name].encoding == variable.encoding, name
        assert found.variables[name].dtype == variable.dtype, name
    assert set(found.held) == set(expected.dims) & set(variables)


def test_messages_are_looked_for_once_however_many_files_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(messages, "open_messages", lambda path, how: opened.append(path) or open_messages(path, how))
    close_all()
    paths = [str(tmp_path / f"{number}.grib2") for number in range(OPEN_FILES + 1)]
    for path in paths:
        write_grib(Path(path), days=2)
    found = [open_dataset(make_source(path, {}, {}).identified(), "grib") for path in paths]
    assert len({dataset.valid_time.values.tobytes() for dataset in found}) == 1
    assert opened == paths


@pytest.mark.parametrize("cut", [1, 100], ids=["in its end mark", "in its values"])
def test_a_file_that_is_cut_short_is_refused_unless_the_recipe_says_otherwise(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.grib2"
    write_grib(path, days=3)
    path.write_bytes(path.read_bytes()[:-cut])
    source = make_source(str(path), {}, {}).identified()
    with pytest.raises(SourceError, match=r"(?s)cannot open the file.*a\.grib2.*End of resource.*whole"):
        open_dataset(source, "grib")
    assert open_dataset(source, "grib", {"errors": "ignore"}).sizes["time"] == 2


def _without_history(attrs: Any) -> dict[str, Any]:
    """Leave out what says when the file was opened."""
    return {name: value for name, value in attrs.items() if name != "history"}
