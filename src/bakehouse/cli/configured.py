"""What pangeo-forge-runner's settings mean here: a target, a cache, workers, a recipe, a job's name."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bakehouse.cli.bakeries import Place
from bakehouse.cli.config import read_settings
from bakehouse.cli.reply import say
from bakehouse.cli.runner_dataflow import dataflow_bakery
from bakehouse.cli.traits import Traits, checked, short_name
from bakehouse.errors import UsageError, did_you_mean
from bakehouse.meta.project import Bakery
from bakehouse.storage import Target

if TYPE_CHECKING:
    from bakehouse.cli.selection import Chosen, Failed

PRUNED = 2
"""How many inputs of each concat dimension upstream keeps."""
LONGEST = 63
BUILT = ("LocalDirectBakery", "DataflowBakery")
SCHEMES = {"LocalFileSystem": "", "S3FileSystem": "s3", "GCSFileSystem": "gs", "AzureBlobFileSystem": "az"}
_SAME = {"s3a": "s3", "gcs": "gs", "abfs": "az", "file": "", "local": ""}


@dataclass(frozen=True)
class Configured:
    """Settings that were found, ready to be used."""

    traits: Traits = Traits()

    @property
    def prune(self) -> int | None:
        """Give how many inputs are kept, if any are left out."""
        return PRUNED if self.traits.get("Bake", "prune") else None

    @property
    def has_target(self) -> bool:
        """Say whether a target was named."""
        return bool(self.traits.find("TargetStorage", "fsspec_class") or self.traits.get("TargetStorage", "root_path"))

    def text(self, trait: str) -> str | None:
        """Give what a trait of Bake says; None if it says nothing."""
        return self.traits.get("Bake", trait) or None

    def only(self, chosen: Sequence[Chosen | Failed]) -> list[Chosen | Failed]:
        """Keep the recipe that was asked for; settings are those of one feedstock.

        Raises
        ------
        UsageError
            If there are several feedstocks, or no recipe of that id.
        """
        wanted, names = self.text("recipe_id"), {each.name.partition("/")[0] for each in chosen}
        if self.traits.settings and len(names) > 1:
            raise UsageError("a configuration is that of one feedstock", None, f"given: {', '.join(sorted(names))}")
        kept = [each for each in chosen if wanted in (None, each.name.partition("/")[2]) or "/" not in each.name]
        if wanted and not kept:
            setting = self.traits.find("Bake", "recipe_id")
            known = [each.name.partition("/")[2] for each in chosen]
            where = setting.place if setting else None
            raise UsageError(f"there is no recipe '{wanted}'", where, None, did_you_mean(wanted, known))
        return kept

    def place(self, place: Place, job: str) -> Place:
        """Put what was set in the place of a bakery's own."""
        workers = self.traits.get("LocalDirectBakery", "num_workers")
        target, cache = self._target("TargetStorage", job), self._target("InputCacheStorage", job)
        bakery = self._bakery(place.bakery, target)
        if workers is not None:
            bakery = bakery.model_copy(update={"workers": workers or None})
        name = self.kind if target or bakery is not place.bakery else place.name
        return replace(place, bakery=bakery, name=name, copies=cache)

    @property
    def kind(self) -> str:
        """Name the kind of bakery that was asked for, as upstream does."""
        return short_name(self.traits.get("Bake", "bakery_class") or "LocalDirectBakery")

    def _bakery(self, own: Bakery, target: Target | None) -> Bakery:
        """Put the target in the place of a bakery's own, and settings of a bakery on Dataflow, if that is asked for."""
        if self.kind == "DataflowBakery":
            return dataflow_bakery(self.traits, own, target)
        if target is None:
            return own
        return Bakery(target=target.url, storage_options=dict(target.options), workers=own.workers)

    def _target(self, owner: str, job: str) -> Target | None:
        """Give a storage as a URL with its options; None if it was left out."""
        kind, root = self.traits.find(owner, "fsspec_class"), self.traits.find(owner, "root_path")
        if kind is None and not (root and root.value):
            return None
        if root is None or not root.value:
            raise UsageError(f"{owner}.root_path is missing", kind.place if kind else None, None, "add it")
        path = _filled(root.value, job, root.place)
        scheme = _scheme(short_name(kind.value), kind.place) if kind else None
        return Target(_url(scheme, path, root.place), self.traits.get(owner, "fsspec_args") or {})


def configured(file: Path | None, words: Sequence[str]) -> Configured:
    """Read and check settings.

    Raises
    ------
    UsageError
        If they can't be read, are not known, or ask for a bakery that is not built.
    """
    traits = checked(read_settings(file, words))
    wanted = traits.find("Bake", "bakery_class")
    if wanted and short_name(wanted.value) not in BUILT:
        fix = "add --Bake.bakery_class=LocalDirectBakery to bake on this machine"
        raise UsageError(f"{short_name(wanted.value)} can't be used yet", wanted.place, None, fix)
    local = not wanted or short_name(wanted.value) == "LocalDirectBakery"
    if local and (image := traits.find("Bake", "container_image")):
        say(f"{image.place}: a bake on this machine needs no container_image")
    return Configured(traits)


def job_name(feedstock: str, given: str | None = None, recipe: str | None = None) -> str:
    """Name a job as upstream's runners accept it, whatever the id; one of several recipes is told from the others.

    Examples
    --------
    >>> job_name("CanopyHeights-GLAD"), job_name("0_25_deg"), job_name("GPM_3IMERGDF.07")
    ('canopyheights-glad', 'bake-0_25_deg', 'gpm_3imergdf-07')
    """
    name = given or re.sub(r"[^-_0-9a-z]", "-", feedstock.lower())
    name = name if given or name[:1].isalpha() else f"bake-{name.lstrip('-_')}"
    if recipe is not None:
        return f"{name[: LONGEST - 7]}-{_digest(recipe)}"
    return name if given or len(name) <= LONGEST else f"{name[: LONGEST - 7]}-{_digest(name)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:5]


def _filled(root: str, job: str, place: str) -> str:
    try:
        return root.format(job_name=job)
    except (KeyError, IndexError, ValueError) as error:
        raise UsageError("root_path knows only {job_name}", place, f"{type(error).__name__}: {error}") from None


def _scheme(kind: str, place: str) -> str:
    if kind not in SCHEMES:
        raise UsageError(f"storage of fsspec_class '{kind}' can't be written", place, None, did_you_mean(kind, SCHEMES))
    return SCHEMES[kind]


def _url(scheme: str | None, path: str, place: str) -> str:
    """Join a protocol and a path that may have one already; a local path starts from the working directory."""
    said, colon, rest = path.partition("://")
    own = _SAME.get(said, said) if colon else None
    if own is not None and scheme not in (None, own):
        raise UsageError(f"root_path is on {said}://, fsspec_class is not", place, None, "make both the same")
    scheme = own if scheme is None else scheme
    rest = (rest if colon else path).rstrip("/") or "/"
    return f"{scheme}://{rest.lstrip('/')}" if scheme else str((Path.cwd() / Path(rest).expanduser()).resolve())
