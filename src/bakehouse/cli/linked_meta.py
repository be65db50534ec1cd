"""The meta.yaml of a feedstock that links a store: said on the command line, written once the store was read."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bakehouse.cli.bakeries import Place
from bakehouse.cli.scaffold import SCHEMA_LINE, quoted
from bakehouse.errors import UsageError
from bakehouse.meta.load import load_feedstock
from bakehouse.meta.models import FeedstockMeta, LinkedStore
from bakehouse.meta.spdx import NO_SPDX, normalized, unknown_ids

SUFFIX = re.compile(r"\.(zarr|icechunk|json|parq|parquet|kerchunk)$")


@dataclass(frozen=True)
class Draft:
    """A feedstock that is not written yet."""

    id: str
    text: str
    meta: FeedstockMeta


def default_id(url: str) -> str:
    """Make an id of a store's address.

    Examples
    --------
    >>> default_id("s3://bucket/stores/Sea Level_v2.zarr/")
    'sea-level_v2'
    """
    last = SUFFIX.sub("", re.split("[?#]", url, maxsplit=1)[0].rstrip("/").rpartition("/")[2])
    return re.sub(r"[^a-z0-9._]+", "-", last.lower()).strip("-._") or "linked"


def drafted(name: str, store: LinkedStore, said: Mapping[str, str | None], place: Place) -> Draft:
    """Write a feedstock's meta.yaml, and read it as it will be read.

    Raises
    ------
    UsageError
        If something is not said that has to be.
    """
    _insist(said, place)
    text = meta_text(store, said)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, name)
        folder.mkdir()
        (folder / "meta.yaml").write_text(text, encoding="utf-8")
        return Draft(name, text, load_feedstock(folder, place.project.defaults))


def _insist(said: Mapping[str, str | None], place: Place) -> None:
    """Insist on a title, a licence that SPDX knows, and a maintainer; the project may have said the latter two."""
    defaults = place.project.defaults
    known = {
        "title": said.get("title"),
        "license": said.get("license") or defaults.license,
        "maintainer": said.get("maintainer") or said.get("github") or defaults.maintainers,
    }
    if missing := [f"--{key}" for key, value in known.items() if not value]:
        fix = f"give {', '.join(missing)}"
        raise UsageError("an entry needs a title, a licence and a maintainer", None, None, fix)
    text = said.get("license")
    if text and text not in NO_SPDX and normalized(text) is None:
        wrong, close = unknown_ids(text)
        raise UsageError(f"unknown licence {wrong!r}", "--license", "SPDX has no such identifier", close)


def meta_text(store: LinkedStore, said: Mapping[str, str | None]) -> str:
    """Write a feedstock's meta.yaml.

    Examples
    --------
    >>> said = {"title": "Sea level", "license": "cc-by-4.0", "maintainer": "Josiah Carberry"}
    >>> print(meta_text(LinkedStore(id="sea", url="s3://bucket/sea.zarr"), said), end="")
    # yaml-language-server: $schema=../../schemas/feedstock.schema.json
    title: Sea level
    provenance:
      license: CC-BY-4.0
    maintainers:
      - {name: Josiah Carberry}
    recipes:
      - id: sea
    stores:
      - id: sea
        url: "s3://bucket/sea.zarr"
    """
    described = [("title", said.get("title")), ("description", said.get("description"))]
    lines = [f"{key}: {quoted(value)}" for key, value in described if value]
    if license := said.get("license"):
        lines += ["provenance:", f"  license: {quoted(normalized(license) or license)}"]
    lines += ["maintainers:", f"  - {_maintainer(said)}"] if said.get("maintainer") or said.get("github") else []
    lines += [f"contact: {quoted(contact)}"] if (contact := said.get("contact")) else []
    lines += ["recipes:", f"  - id: {quoted(store.id)}", "stores:", f"  - id: {quoted(store.id)}"]
    lines += [f"    url: {quoted(store.url)}"]
    lines += [f"    endpoint_url: {quoted(store.endpoint_url)}"] if store.endpoint_url else []
    return SCHEMA_LINE + "\n".join(lines) + "\n"


def _maintainer(said: Mapping[str, str | None]) -> str:
    github = (said.get("github") or "").lstrip("@")
    name = said.get("maintainer") or github
    return f"{{name: {quoted(name)}{f', github: {quoted(github)}' if github else ''}}}"


def write_feedstock(root: Path, draft: Draft) -> Path:
    """Write the feedstock; give its meta.yaml."""
    folder = root / "feedstocks" / draft.id
    folder.mkdir(parents=True)
    file = folder / "meta.yaml"
    file.write_text(draft.text, encoding="utf-8")
    return file
