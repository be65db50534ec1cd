"""BH5xx: the project's own meta.yaml."""

from __future__ import annotations

from bakehouse.meta.findings import Example, Rule

_BAKERIES = "bakeries:\n  local: {target: .bakehouse/stores}\n"
_CLOUD = "bakeries:\n  local: {{runner: dataflow, target: {target}, dataflow: {{{said}}}}}\n"

RULES = (
    Rule(
        "BH501", "unknown-bakery", "lint", "shape",
        title="The default bakery is none of the bakeries.",
        why="A bake without --bakery would have nowhere to go.",
        fix="name one of the bakeries",
        bad=Example(f"default_bakery: locale\n{_BAKERIES}", target="project"),
        good=Example(f"default_bakery: local\n{_BAKERIES}", target="project"),
    ),
    Rule(
        "BH502", "unfit-google-name", "lint", "shape",
        title="A folder or a label is none that Google Cloud accepts.",
        why="The job would be refused when it is submitted, after everything was shipped.",
        fix="write folders as gs://BUCKET/FOLDER, labels in lower-case letters, digits, '_' and '-'",
        bad=Example(_CLOUD.format(target="gs://sea/stores", said="temp_location: sea-scratch"), target="project"),
        good=Example(
            _CLOUD.format(target="gs://sea/stores", said='temp_location: "gs://sea-scratch/beam"'), target="project"
        ),
    ),
    Rule(
        "BH503", "unfit-bakery", "lint", "shape",
        title="A bakery's target, cache or settings don't fit its runner.",
        why="Workers on other machines can't write to a folder of this one, and settings of another runner do nothing.",
        fix="name a bucket as target and cache of a runner on other machines; keep dataflow for runner: dataflow",
        bad=Example(_CLOUD.format(target=".bakehouse/stores", said="region: us-central1"), target="project"),
        good=Example(_CLOUD.format(target="gs://sea/stores", said="region: us-central1"), target="project"),
    ),
)  # fmt: skip
