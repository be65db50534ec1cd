"""The classes and traits that pangeo-forge-runner knows, and settings held against them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bakehouse.cli.config import Setting
from bakehouse.cli.text import plural
from bakehouse.errors import UsageError, did_you_mean

_STORAGE = {"fsspec_class": "class", "fsspec_args": "dict", "root_path": "text"}
KNOWN: dict[str, dict[str, str]] = {
    "Bake": {
        "prune": "bool", "recipe_id": "text", "job_name": "text", "bakery_class": "class", "container_image": "text",
        "repo": "text", "ref": "text", "feedstock_subdir": "text", "json_logs": "bool", "logging_config": "dict",
        "log_level": "any",
    },
    "LocalDirectBakery": {"num_workers": "int"},
    "DataflowBakery": {
        "project_id": "text", "region": "text", "machine_type": "text", "disk_size_gb": "int",
        "use_dataflow_prime": "bool", "use_public_ips": "bool", "temp_gcs_location": "text", "max_num_workers": "int",
        "service_account_email": "text",
    },
    "FlinkOperatorBakery": {
        "flink_version": "text", "flink_configuration": "dict", "job_manager_resources": "dict",
        "task_manager_resources": "dict", "beam_executor_resources": "dict", "parallelism": "int",
        "max_parallelism": "int", "enable_job_archiving": "bool", "job_archive_efs_mount": "text",
    },
    "TargetStorage": _STORAGE,
    "InputCacheStorage": _STORAGE,
    "MetadataCacheStorage": _STORAGE,
}  # fmt: skip
BAKERIES = ("LocalDirectBakery", "DataflowBakery", "FlinkOperatorBakery")
_WORDS = {"bool": "True or False", "int": "a whole number", "text": "text", "dict": "a mapping", "class": "a class"}
_BOOLS = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True)
class Traits:
    """Settings that are known and of the right kind; of several for one trait the last counts."""

    settings: tuple[Setting, ...] = ()

    def find(self, owner: str, trait: str) -> Setting | None:
        """Give a setting, unless it was left out or is None."""
        found = [each for each in self.settings if (each.owner, each.trait) == (owner, trait)]
        return found[-1] if found and found[-1].value is not None else None

    def get(self, owner: str, trait: str) -> Any:
        """Give what a trait is set to; None if it was left out."""
        found = self.find(owner, trait)
        return found.value if found else None


def checked(settings: Sequence[Setting]) -> Traits:
    """Hold settings against what is known; all that is wrong is said at once, and no value that could be secret.

    Raises
    ------
    UsageError
        If a class or trait is not known, or a value is of the wrong kind.
    """
    typed = [_typed(each) for each in settings]
    problems = [problem for each in typed for problem in _problems(each)]
    if problems:
        count = plural(len(problems), "setting")
        lines = "\n".join(problems)
        raise UsageError(f"{count} can't be used\n{lines}", None, None, "correct them: nothing would have used them")
    return Traits(tuple(typed))


def short_name(kind: Any) -> str:
    """Name a class without its module; it may be given as the class itself.

    Examples
    --------
    >>> short_name("pangeo_forge_runner.bakery.local.LocalDirectBakery")
    'LocalDirectBakery'
    """
    return str(getattr(kind, "__name__", kind)).rpartition(".")[2]


def _typed(setting: Setting) -> Setting:
    """Read text from the command line, and numbers that stand for booleans, as what they are meant to be."""
    kind, value = KNOWN.get(setting.owner, {}).get(setting.trait), setting.value
    if kind == "bool" and not isinstance(value, bool):
        return replace(setting, value=_BOOLS.get(str(value).lower(), value))
    if setting.is_text and kind in ("int", "dict"):
        try:
            return replace(setting, value=ast.literal_eval(value))
        except (ValueError, SyntaxError):
            return setting
    return setting


def _problems(setting: Setting) -> Iterator[str]:
    owner, trait, value = setting.owner, setting.trait, setting.value
    if owner not in KNOWN:
        yield f"{setting.place} there is no class '{owner}'; {did_you_mean(owner, KNOWN)}"
    elif trait not in KNOWN[owner]:
        yield f"{setting.place} {owner} has no '{trait}'; {did_you_mean(trait, KNOWN[owner])}"
    elif value is not None and not _is_a(KNOWN[owner][trait], value):
        given = f"of type {type(value).__name__}" if trait == "fsspec_args" else repr(value)
        hint = "; to keep more or fewer inputs: --prune N" if trait == "prune" else ""
        yield f"{setting.place} {setting.name} should be {_WORDS[KNOWN[owner][trait]]}, not {given}{hint}"
    elif trait == "bakery_class" and short_name(value) not in BAKERIES:
        yield f"{setting.place} there is no bakery '{short_name(value)}'; {did_you_mean(short_name(value), BAKERIES)}"
    elif trait == "temp_gcs_location" and not str(value).startswith("gs://"):
        yield f"{setting.place} {setting.name} should begin with gs://, not {value!r}"


def _is_a(kind: str, value: Any) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool)
    kinds = {"bool": isinstance(value, bool), "int": whole, "text": isinstance(value, str),
             "dict": isinstance(value, dict), "class": isinstance(value, str | type)}  # fmt: skip
    return kinds.get(kind, True)
