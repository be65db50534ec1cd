"""The stage of StoreToZarr that decides everything: from the merged schema to a plan on a target."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from bakehouse.context import Context, work_folder
from bakehouse.errors import PublishError
from bakehouse.openers.survey import survey_at
from bakehouse.plan.base import Base, base_of
from bakehouse.plan.gaps import as_published, with_gaps
from bakehouse.plan.grow import apart, grow_plan
from bakehouse.plan.make import is_same_but_recipe, make_plan, plan_as
from bakehouse.plan.sample import level_of
from bakehouse.plan.summary import summarise
from bakehouse.plan.types import VIRTUAL, Plan, StoreOptions, Template
from bakehouse.schema import DatasetSchema
from bakehouse.transforms.absent import gap_fragments, noted_absent
from bakehouse.transforms.fresh import published
from bakehouse.writers.icechunk import repository_at
from bakehouse.writers.intact import Additions, insist_intact, object_keys, versions_ahead
from bakehouse.writers.publish import save_candidate
from bakehouse.writers.references.kerchunk import root_name
from bakehouse.writers.resume import begun, checked_tasks
from bakehouse.writers.tasks import Prepared
from bakehouse.writers.template import make_documents, template_dataset
from bakehouse.writers.versions import INPUTS, inputs_table


@dataclass
class Prepare:
    """Make the plan and its documents; find out what earlier runs have done."""

    context: Context
    dims: Mapping[str, str]
    options: StoreOptions

    def __call__(self, schema: DatasetSchema) -> Prepared:
        """Plan from the merged schema."""
        base = published(self.context)
        grown = base if self.context.grow else None
        if base and self.context.mode == "verify":
            schema = as_published(schema, base)
        schema, notes = with_gaps(schema, noted_absent(self.context), self.dims, self.context.label, grown)
        plan = self._plan(schema, base)
        plan = replace(plan, template=replace(plan.template, notes=(*notes, *plan.template.notes)))
        documents = make_documents(plan.template, self.options.encoding)
        gaps = tuple(gap_fragments(schema, plan.template.arrays))
        prepared = Prepared(
            plan, documents, self.context.target, self.options.encoding, run_id=self.context.run_id, gaps=gaps,
            base_snapshot=self.context.base_snapshot,
        )  # fmt: skip
        if self.context.mode == "bake" and not self.context.refresh:
            survey_at(self.context.surveys, self.context.run_id).merge()
        made_from = base_of(plan, schema, grown)
        if self.context.mode == "bake" and plan.tasks:
            _insist_sound_base(prepared)
            prepared = begun(prepared)
            full = level_of(plan, self.context.level) == "full"
            prepared = replace(prepared, checked=checked_tasks(prepared, prepared.done, full))
            save_candidate(prepared)
            table = inputs_table(made_from)
            if prepared.work.get(INPUTS) != table:
                prepared.work.put(INPUTS, table)
        elif self.context.mode == "verify":
            beside = self.context.notebook.child(self.context.run_id)
            prepared = replace(prepared, notes=beside, snapshot=self.context.base_snapshot)
        self._note(prepared, base, made_from)
        return prepared

    def _plan(self, schema: DatasetSchema, base: Base | None) -> Plan:
        """Plan anew, or on what is published; what would be made again just as it is, is left as it is."""
        limits = {"memory_bytes": self.context.memory_bytes, "recipe_digest": self.context.recipe_digest}
        label = self.context.label
        if base and self.context.grow:
            url = self.context.target.child(base.prefix).url
            plan = grow_plan(schema, self.dims, self.options, base, label=label, store_url=url, **limits)  # type: ignore[arg-type]
            ahead = versions_ahead(work_folder(self.context.target, base.prefix)) - {plan.version}
            return apart(plan) if ahead and plan.tasks else plan
        beside = self.context.base if self.context.refresh else ""
        plan = make_plan(
            schema, self.dims, self.options, prefix=self.context.prefix, beside=beside, label=label,
            choose_chunks=self._chunks(), **limits,  # type: ignore[arg-type]
        )  # fmt: skip
        if base and self.context.mode == "verify":
            return plan_as(base, plan, self.context.memory_bytes) if is_same_but_recipe(plan, base) else plan
        if base and not beside and plan.digests == base.digests and self._is_kept(plan, base):
            return replace(plan_as(base, plan, self.context.memory_bytes), tasks=())
        if self.context.mode == "bake" and self.context.prefix is None:
            self._insist_untouched(plan)
        return plan

    def _is_kept(self, plan: Plan, base: Base) -> bool:
        """Say whether what is published is no longer, object for object, what this plan would write."""
        if self.options.format == "icechunk":
            return self.context.mode == "verify" or repository_at(self.context.target.child(base.prefix)).is_there
        if self.options.format in VIRTUAL:
            root = root_name(self.options.format)
            return self.context.mode == "verify" or self.context.target.child(base.prefix).size(root) is not None
        elsewhere = (base.version, base.prefix) != (plan.version, plan.prefix)
        return bool(elsewhere or base.built_on or Additions(self.context.target, base.prefix).any)

    def _insist_untouched(self, plan: Plan) -> None:
        """Refuse to write objects of a prefix that updates have added to: readers hold on to them."""
        if Additions(self.context.target, plan.prefix).any and self.options.format != "icechunk":
            raise PublishError(
                f"version {plan.version} was updated in place, and this catalog does not name it",
                self.context.target.child(plan.prefix).url,
                None,
                "bake with the catalog that it is registered in, or to another target",
            )

    def _chunks(self) -> Callable[[Template], Mapping[str, int]] | None:
        """Give the recipe's function that chooses chunks, as the plan calls it."""
        function, kwargs = self.options.dynamic_chunking_fn, dict(self.options.dynamic_chunking_fn_kwargs)
        return (lambda template: function(template_dataset(template), **kwargs)) if function else None

    def _note(self, prepared: Prepared, base: Base | None, made_from: Base) -> None:
        """Tell the driver what was planned."""
        plan = prepared.plan
        note = {
            "plan": summarise(plan, self.context.level),
            "done": sorted(prepared.done),
            "ordered": self.options.order != "any",
            "same": base is not None and base.version == plan.version and not plan.tasks,
            "work": prepared.work.url,
            "main": prepared.main,
            "made": prepared.snapshot,
            "gaps": [{"input": k.url, "ranges": {d: e.shown for d, e in k.extents}} for k in made_from.gaps],
        }
        self.context.notebook.put(f"{self.context.run_id}.json", json.dumps(note).encode())


def _insist_sound_base(prepared: Prepared) -> None:
    """Check the objects of the published version that tasks reach into, before anything is written."""
    growth, arrays = prepared.plan.growth, prepared.plan.template.arrays
    if growth is not None and prepared.base is not None:
        parts = (part for task in prepared.plan.tasks for part in task.parts)
        keys = (key for part in parts for key in object_keys(prepared.documents, arrays[part.array], part))
        insist_intact(prepared.target, growth.version, prepared.base, keys)
