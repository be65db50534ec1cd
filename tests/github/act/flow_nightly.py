"""Nightly: every store is opened and read."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

from tests.github.act.bench import Bench, Ran
from tests.github.act.kitchen import bake_event, feedstock, shelf
from tests.github.act.scenarios import scenario

ALL = {"recheck": "success", "record": "success", "build": "success", "deploy": "success"}


@scenario("Nightly", cloud=True, nightly=True)
def a_store_that_is_gone_is_marked_until_it_is_back(made: Bench) -> str:
    """Two entries; the store of one disappears, for two nights, and comes back."""
    made.commit(feedstock("winds"))
    made.run("run-recipe", "workflow_dispatch", bake_event("winds"))
    with shelf(made.folder) as server:
        made.environment["BAKEHOUSE_TRUST_HOSTS"] = " ".join([server.url.removeprefix("http://"), _s3(made)])
        _link(made, server.address("ice.zarr"))
        assert _night(made).jobs == ALL and made.hub.issues == {}
        (made.folder / "www/ice.zarr").rename(made.folder / "www/away")
        assert [_night(made).jobs for _ in range(2)] == [ALL, ALL]
        states = {name: _entry(made, name)["status"] for name in ("winds", "ice")}
        (issue,) = made.hub.issues.values()
        assert issue["state"] == "open" and "ice" in issue["title"]
        (made.folder / "www/away").rename(made.folder / "www/ice.zarr")
        assert _night(made).jobs == ALL and issue["state"] == "closed"
    assert (_state(states["winds"]), _state(states["ice"])) == ("live", "degraded"), states
    assert _state(_entry(made, "ice")["status"]) == "live"
    return (
        "one entry marked degraded, the other untouched; one issue over both nights; closed and unmarked by the third"
    )


def _night(made: Bench) -> Ran:
    return made.run("nightly", "schedule", {"schedule": "43 3 * * *"})


def _link(made: Bench, url: str) -> None:
    """Link a store as a maintainer does, on their machine."""
    made.git("fetch", "--quiet", "origin")
    made.git("checkout", "--quiet", "-B", "main", "origin/main")
    done = subprocess.run(
        [made.folder / "bin/bakehouse", "link", "ice", "--url", url, "--title", "Sea ice", "--license", "CC-BY-4.0",
         "--maintainer", "A baker", "--catalog", "published"],
        cwd=made.tree, env={**os.environ, **made.environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    made.git("add", "--all")
    made.git("commit", "--quiet", "--message", "Link sea ice")
    made.git("push", "--quiet", "origin", "main")


def _entry(made: Bench, name: str) -> Any:
    return json.loads(made.file(f"catalog/{name}/{name}.json"))


def _state(status: Any) -> str:
    return status["state"] if isinstance(status, dict) else status


def _s3(made: Bench) -> str:
    return made.keys["AWS_ENDPOINT_URL"].removeprefix("http://")
