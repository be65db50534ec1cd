"""Nightly: every store is opened and read."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

from tests.github.act.bench import Bench, Ran
from tests.github.act.kitchen import shelf
from tests.github.act.scenarios import scenario

ALL = {"recheck": "success", "record": "success", "build": "success", "deploy": "success"}


@scenario("Nightly", nightly=True)
def a_store_that_is_gone_is_marked_until_it_is_back(made: Bench) -> str:
    """Two linked stores; one of them disappears, for two nights, and comes back."""
    with shelf(made.folder) as server:
        made.environment["BAKEHOUSE_TRUST_HOSTS"] = server.url.removeprefix("http://")
        shutil.copytree(made.folder / "www/ice.zarr", made.folder / "www/snow.zarr")
        for name in ("ice", "snow"):
            _link(made, name, server.address(f"{name}.zarr"))
        assert _night(made).jobs == ALL and made.hub.issues == {}
        (made.folder / "www/ice.zarr").rename(made.folder / "www/away")
        assert [_night(made).jobs for _ in range(2)] == [ALL, ALL]
        assert (_state(made, "snow"), _state(made, "ice")) == ("live", "degraded")
        (issue,) = made.hub.issues.values()
        assert issue["state"] == "open" and "ice" in issue["title"]
        (made.folder / "www/away").rename(made.folder / "www/ice.zarr")
        assert _night(made).jobs == ALL and issue["state"] == "closed"
        assert _state(made, "ice") == "live"
    return (
        "one entry marked degraded, the other untouched; one issue over both nights; closed and unmarked by the third"
    )


def _night(made: Bench) -> Ran:
    return made.run("nightly", "schedule", {"schedule": "43 3 * * *"})


def _link(made: Bench, name: str, url: str) -> None:
    """Link a store as a maintainer does, on their machine."""
    made.git("fetch", "--quiet", "origin")
    made.git("checkout", "--quiet", "-B", "main", "origin/main")
    done = subprocess.run(
        [made.folder / "bin/bakehouse", "link", name, "--url", url, "--title", "Sea ice", "--license", "CC-BY-4.0",
         "--maintainer", "A baker", "--catalog", "published"],
        cwd=made.tree, env={**os.environ, **made.environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    made.git("add", "--all")
    made.git("commit", "--quiet", "--message", f"Link {name}")
    made.git("push", "--quiet", "origin", "main")


def _state(made: Bench, name: str) -> str:
    status = json.loads(made.file(f"catalog/{name}/{name}.json"))["status"]
    return status["state"] if isinstance(status, dict) else status
