"""Build and serve the web pages over catalogs: where they lie, and what is said of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bakehouse.cli.interrupts import noticing
from bakehouse.cli.reply import Reply, say

if TYPE_CHECKING:
    from bakehouse.site.build import Built

CACHE = ".bakehouse/cache/site.sqlite"
SITE = ".bakehouse/site"


def build_site(
    folders: list[Path], named: Path | None, project: Path | None, out: Path | None, base_url: str | None, run_s: float
) -> Built:
    """Build the site over catalogs; it lies in the project, or beside a catalog outside of any."""
    from bakehouse.site.build import build
    from bakehouse.site.content import gather

    root = _root(named, project)
    cache = root / CACHE if root else None
    return build(gather(folders, root, base_url), _out(root, named, out), cache=cache, run_s=run_s)


def serve_site(folders: list[Path], named: Path | None, project: Path | None, out: Path | None, port: int) -> Reply:
    """Serve the site until it is interrupted; build it where it is not there."""
    from bakehouse.errors import UsageError
    from bakehouse.site.content import gather
    from bakehouse.site.serve import server, shelves

    root = _root(named, project)
    site = _out(root, named, out)
    if not (site / "index.html").is_file():
        say(site_text(build_site(folders, named, project, out, None, 30.0)))
    try:
        serving = server(site, shelves(gather(folders, root).entries), port)
    except OSError as error:
        raise UsageError(f"port {port} can't be used", None, str(error), "choose another: --port N") from None
    address = f"http://127.0.0.1:{serving.server_address[1]}/"
    say(f"serving {site} at {address} (Ctrl-C ends it)")
    with noticing(), serving:
        serving.serve_forever()
    return Reply("")


def site_text(built: Built) -> str:
    """Say where the site lies, and what a maintainer should look at."""
    from bakehouse.catalog.words import plural

    warnings = [f"warning: {text}" for text in built.warnings]
    ran = [f"{count} {state}" for state, count in sorted(built.states.items()) if state != "not run"]
    snippets = f"; snippets: {', '.join(ran)}" if ran else ""
    bare = [] if built.bundled else ["the pages have no scripts (make web makes them); they are complete without"]
    pages = f"site of {plural(built.entries, 'dataset')}{snippets}: {built.index}"
    return "\n".join([*warnings, *bare, pages])


def _root(named: Path | None, project: Path | None) -> Path | None:
    """Give the project that the site is about: the one around a catalog that was named."""
    from bakehouse.catalog.lookup import find_project
    from bakehouse.cli.projects import project_root

    return project_root(project) if named is None or project else find_project(named.resolve())


def _out(root: Path | None, named: Path | None, out: Path | None) -> Path:
    if out is not None:
        return out
    return root / SITE if root else (named or Path.cwd()).resolve().parent / "site"
