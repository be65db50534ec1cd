"""The text of a new feedstock; what only its author knows is left empty, where lint asks for it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bakehouse.errors import UsageError, did_you_mean
from bakehouse.meta.url_template import fields_of

SCHEMA_LINE = "# yaml-language-server: $schema=../../schemas/feedstock.schema.json\n"
STEPS = {"%S": "s", "%M": "min", "%H": "h", "%d": "D", "%j": "D", "%m": "MS", "%b": "MS", "%Y": "YS", "%y": "YS"}
TODO = "TODO"
_PLAIN = re.compile(r"[^\W\d_][\w.-]*( \w[\w.-]*)*")
_WORDS = {"yes", "no", "on", "off", "true", "false", "null", "y", "n"}


@dataclass(frozen=True)
class Draft:
    """What is known of a feedstock that is about to be written.

    `dims` maps each field of the url to the step of its dates, or to None where its keys are listed; those that are
    not in `concat` hold different variables.
    """

    id: str
    title: str = ""
    license: str = ""
    maintainer: str = ""
    url: str = ""
    dims: Mapping[str, str | None] = field(default_factory=dict)
    concat: tuple[str, ...] = ()
    start: str = ""
    end: str = ""


def draft_dims(url: str, concat: tuple[str, ...], freq: str | None) -> tuple[dict[str, str | None], tuple[str, ...]]:
    """Read dimensions from the fields of a URL; without `concat`, dates are joined along, or else a lone field.

    Raises
    ------
    UsageError
        If a concat dimension is no field of the url.

    Examples
    --------
    >>> draft_dims("https://example.org/{variable}_{time:%Y%m}.nc", (), None)
    ({'variable': None, 'time': 'MS'}, ('time',))
    """
    try:
        fields = fields_of(url)
    except ValueError as error:
        raise UsageError(str(error), url, None, "write {time:%Y%m%d}, {variable}, …") from error
    dims = {name: _step(specs, freq) for name, specs in fields.items()}
    for name in concat:
        if name not in fields and (fields or "{" in url):
            raise UsageError(f"the url has no field {{{name}}}", url, None, did_you_mean(name, fields))
    dates = tuple(name for name, step in dims.items() if step)
    return dims, concat or dates or (tuple(fields) if len(fields) == 1 else ())


def meta_text(draft: Draft, recipes: str) -> str:
    """Write a feedstock's meta.yaml."""
    maintainers = f"\n  - {{name: {quoted(draft.maintainer)}}}" if draft.maintainer else " # - {name: …, github: …}"
    return (
        f"{SCHEMA_LINE}title:{_value(draft.title, 'what the dataset is, in one line')}\n"
        "description: # what people would search for\n"
        "provenance:\n"
        "  providers: # - {name: …, roles: [producer], url: 'https://…'}\n"
        f"  license:{_value(draft.license, 'SPDX identifier, such as CC-BY-4.0')}\n"
        f"maintainers:{maintainers}\n"
        f"recipes:\n{recipes}"
    )


def shared_recipe_text(draft: Draft) -> str:
    """Write the recipes of a feedstock that needs no Python."""
    return f"  - id: {draft.id}\n    recipe: files_to_zarr\n    with:\n      pattern:\n" + (
        _template_pattern(draft) if draft.dims or not draft.url else f"        files: [{quoted(draft.url)}]\n"
    )


def _template_pattern(draft: Draft) -> str:
    lines = [
        f"url:{_value(draft.url, 'https://…/{time:%Y%m%d}.nc')}"
        if draft.url
        else 'url: "" # such as https://…/{time:%Y%m%d}.nc'
    ]
    dims = draft.dims or {name: "D" for name in draft.concat or ("time",)}
    concat = [name for name in dims if name in (draft.concat or dims)]
    lines += ["concat:", *(line for name in concat for line in _dimension(draft, name, dims[name]))] if concat else []
    merge = [name for name in dims if name not in concat]
    lines += ["merge:", *(f"  {name}: [] # its keys, one per file" for name in merge)] if merge else []
    return "".join(f"        {line}\n" for line in lines)


def _dimension(draft: Draft, name: str, step: str | None) -> list[str]:
    if step is None:
        return [f"  {name}: # [its keys, one per file]"]
    start, end = _value(draft.start, "first date"), _value(draft.end, "last date, included")
    return [f"  {name}:", f"    start:{start}", f"    end:{end}", f"    freq: {step}"]


def python_text(draft: Draft) -> str:
    """Write a recipe.py in Pangeo Forge's spelling."""
    from bakehouse.cli.starter import text

    dims = draft.dims or {name: "D" for name in draft.concat or ("time",)}
    concat = draft.concat or tuple(dims)
    lines = [
        _python_dim(draft, name, step, "ConcatDim" if name in concat else "MergeDim") for name, step in dims.items()
    ]
    known = {
        "URL": json.dumps(draft.url or TODO, ensure_ascii=False),
        "ARGUMENTS": ", ".join(dims),
        "FIELDS": ", ".join(f"{name}={name}" for name in dims),
        "DIMS": "\n".join(lines),
        "NAMES": ", ".join(f"{name}_dim" for name in dims),
        "CLASSES": ", ".join(
            sorted({"ConcatDim" if name in concat else "MergeDim" for name in dims} | {"FilePattern"})
        ),
        "PANDAS": "import pandas as pd\n" if any(dims.values()) else "",
        "STORE": f"{draft.id}.zarr",
    }
    return text("recipe.py.txt", known)


def _python_dim(draft: Draft, name: str, step: str | None, kind: str) -> str:
    keys = f'["{TODO}"]'
    if step:
        keys = f'pd.date_range("{draft.start or TODO}", "{draft.end or TODO}", freq="{step}")'
    return f'{name}_dim = {kind}("{name}", {keys})'


def _step(specs: list[str], freq: str | None) -> str | None:
    """Give the finest step that a field's dates show; None if the field is no date."""
    joined = "".join(specs)
    if "%" not in joined:
        return None
    return freq or next((step for directive, step in STEPS.items() if directive in joined), "D")


def _value(text: str, hint: str) -> str:
    return f" {quoted(text)}" if text else f" # {hint}"


def quoted(text: str) -> str:
    """Write text as YAML reads it back, quoted unless it is plain words."""
    safe = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    return text if safe else json.dumps(text, ensure_ascii=False)
