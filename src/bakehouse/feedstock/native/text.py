"""Write a meta.yaml: short values on one line, and above each key what was changed in it."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

WIDTH = 118
_TAG = "tag:yaml.org,2002:"


class _Dumper(yaml.SafeDumper):
    """Writes lists inside of mappings with an indent, and long text as folded blocks."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Indent lists, too."""
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        """Write everything out."""
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value.strip() else ">" if len(value) > WIDTH and " " in value else None
    return dumper.represent_scalar(f"{_TAG}str", value, style)


def _collection(dumper: yaml.SafeDumper, value: Any) -> yaml.Node:
    """Write what is short and holds no more collections on one line."""
    represent = dumper.represent_dict if isinstance(value, dict) else dumper.represent_list
    node: yaml.CollectionNode = represent(value)
    inner = list(value.values()) if isinstance(value, dict) else value
    flat = not any(isinstance(each, dict | list) for each in inner)
    small = len(inner) <= 2 and len(str(value)) < 80 and all(_is_flat(each) for each in inner)
    node.flow_style = (flat or small) and len(str(value)) < WIDTH - 8
    return node


def _is_flat(value: Any) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return not any(isinstance(each, dict | list) for each in inner)


class _Top(dict[str, Any]):
    """A file's top level, which is never on one line."""


_Dumper.add_representer(_Top, lambda dumper, value: dumper.represent_dict(value))
_Dumper.add_representer(str, _text)
_Dumper.add_representer(dict, _collection)
_Dumper.add_representer(list, _collection)
_Dumper.add_representer(type(None), lambda dumper, _: dumper.represent_scalar(f"{_TAG}null", ""))


def meta_text(header: Sequence[str], data: Mapping[str, Any], comments: Mapping[str, Sequence[str]]) -> str:
    r"""Write a feedstock's meta.yaml.

    Parameters
    ----------
    header
        Lines that it begins with.
    data
        Its top-level keys; a value of None is left for a person.
    comments
        What is said above each key; below an empty one.

    Examples
    --------
    >>> print(meta_text(["# header"], {"title": "A", "tags": ["a", "b"]}, {"tags": ["made lower case"]}), end="")
    # header
    title: A
    # made lower case
    tags: [a, b]
    """
    blocks = [f"{_comment(comments.get(key, ()))}{_block(key, value)}" for key, value in data.items()]
    return "".join([*(f"{line}\n" for line in header), *blocks])


def _comment(notes: Sequence[str]) -> str:
    lines = [line for note in notes for line in textwrap.wrap(note, WIDTH - 2, break_long_words=False)]
    return "".join(f"# {line}\n" for line in lines)


def _block(key: str, value: Any) -> str:
    if value is None:
        return f"{key}:\n"
    return yaml.dump(
        _Top({key: value}), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH, default_flow_style=False
    )
