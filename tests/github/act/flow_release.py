"""Release: from a tag to files that can be installed."""

from __future__ import annotations

from importlib.metadata import version

from tests.github.act.bench import Bench
from tests.github.act.scenarios import scenario


@scenario("Release", engine=True, nightly=True)
def a_tag_becomes_a_wheel_that_bakes(made: Bench) -> str:
    """A tag on main: built, installed with the locked requirements into an empty environment, a project baked."""
    ran = made.run("release", "push", {"ref": f"refs/tags/v{version('bakehouse')}", "after": made.at()})
    assert ran.jobs == {"build": "success", "try": "success", "publish": "success"}, ran.lines
    files = sorted(path.name for path in (made.artifacts / "dist").iterdir())
    assert files == [f"bakehouse-{version('bakehouse')}{end}" for end in ("-py3-none-any.whl", ".tar.gz")]
    return f"{' and '.join(files)}; the wheel's `init`, `lint`, `bake`, `catalog` and `open` work; nothing is uploaded"


@scenario("Release", engine=True, nightly=True)
def a_tag_that_is_not_the_version_is_refused(made: Bench) -> str:
    """A tag that says another version than the files."""
    ran = made.run("release", "push", {"ref": "refs/tags/v99.0.0", "after": made.at()})
    assert ran.jobs == {"build": "failure"}, ran.lines
    return "red; nothing is published"
