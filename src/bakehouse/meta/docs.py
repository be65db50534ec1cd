"""The rules as text: `explain CODE`, and the reference page. Run as a module, it writes the page."""

from __future__ import annotations

import sys
from pathlib import Path

from bakehouse.errors import UsageError, did_you_mean
from bakehouse.meta.findings import SAME, Example, Link, Rule
from bakehouse.meta.rules import RULES

PAGE = Path("docs/reference/lint.md")

_INTRO = """\
<!-- Generated from the rules by `python -m bakehouse.meta.docs`; do not edit. -->

# What lint looks for

`bakehouse lint` reports every problem at once, each as `file:line:col CODE message; fix: …`.
A *lint* must be fixed before a feedstock is merged; a *hint* may be.
Lints of what can't be read or understood also stop a feedstock from being baked.
`bakehouse explain CODE` prints a rule's section.

Examples show only the keys that matter.

| code | name | | |
|---|---|---|---|
"""


def explain(code: str) -> str:
    """Document a rule, named by its code or its name.

    Raises
    ------
    UsageError
        If there is no such rule.

    Examples
    --------
    >>> print(explain("bh004").splitlines()[0])
    BH004 unsafe-tag (lint)
    """
    by_name = {rule.name: rule for rule in RULES.values()} | RULES
    rule = by_name.get(code) or by_name.get(code.upper()) or by_name.get(code.lower())
    if rule is None:
        raise UsageError(f"there is no rule '{code}'", None, None, did_you_mean(code.upper(), RULES))
    parts = [f"{rule.code} {rule.name} ({rule.severity})", rule.title, f"Why: {rule.why}", f"Fix: {rule.fix}"]
    shown = [f"{label}:\n{_indented(_plain(example))}" for label, example in (("Bad", rule.bad), ("Good", rule.good))]
    return "\n\n".join([*parts, *shown])


def reference() -> str:
    """Write the reference page: a table of the rules, then a section for each."""
    rows = "".join(f"| [{r.code}](#{r.code.lower()}) | {r.name} | {r.severity} | {r.title} |\n" for r in RULES.values())
    return _INTRO + rows + "".join(_section(rule) for rule in RULES.values())


def _section(rule: Rule) -> str:
    return "\n".join(
        [
            f'\n<a id="{rule.code.lower()}"></a>\n## {rule.code} {rule.name}\n',
            f"*{rule.severity}.* {rule.title}\n",
            f"**Why.** {rule.why}\n",
            f"**Fix.** {rule.fix[0].upper()}{rule.fix[1:]}.\n",
            f"Bad:\n\n{_fenced(rule.bad)}\n\nGood:\n\n{_fenced(rule.good)}\n",
        ]
    )


def _parts(example: Example) -> list[tuple[str, str]]:
    """List an example's files, each with its name and content; what other files share is left out."""
    own = [("meta.yaml", example.text)] if example.text else []
    return own + [(name.lstrip("/"), _shown(content)) for name, content in example.files.items()]


def _shown(content: str | bytes | Link) -> str:
    if isinstance(content, Link):
        return f"(link to {content.target})"
    if content == SAME:
        return "(any)"
    text = repr(content) if isinstance(content, bytes) else content
    return text if len(text) < 2000 else f"({len(text)} bytes)"


def _plain(example: Example) -> str:
    return "\n".join(f"# {name}\n{text}" for name, text in _parts(example))


def _fenced(example: Example) -> str:
    kinds = {".yaml": "yaml", ".py": "python"}
    blocks = [
        f"```{kinds.get(Path(name).suffix, 'text')}\n# {name}\n{text.rstrip()}\n```" for name, text in _parts(example)
    ]
    return "\n\n".join(blocks)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in text.rstrip().splitlines())


def main(root: Path) -> None:
    """Write the reference page of the project in a folder."""
    page = root / PAGE
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(reference(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
