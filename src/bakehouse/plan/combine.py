"""Combine what the inputs' headers say into the arrays of one dataset, or say everything that is in the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bakehouse.errors import did_you_mean
from bakehouse.plan.agree import agree_attrs, members_by_name
from bakehouse.plan.arrays import plan_array
from bakehouse.plan.axes import Inputs, check_grid, check_sizes, lay_axis, one_per_key
from bakehouse.plan.findings import Findings, name_input
from bakehouse.plan.order import arrange, check_order
from bakehouse.plan.tolerance import Sameness
from bakehouse.plan.types import Axis, StoreOptions, Template
from bakehouse.schema import DatasetSchema, freeze, thaw


def combine(schema: DatasetSchema, dims: Mapping[str, str], options: StoreOptions, label: str = "recipe") -> Template:
    """Combine inputs into a template whose chunks are still to be chosen.

    The result has the dimensions, dtypes, attributes and calendars of ``xarray.concat(…, join="exact",
    compat="equals")`` along the concat dims and ``xarray.merge`` across the merge dims.

    Raises
    ------
    PatternError
        If there are no inputs, or the pattern's index space has holes.
    SchemaError
        If inputs can't be combined without changing what their data mean; it names every reason.
    """
    findings = Findings()
    inputs = one_per_key(schema, label)
    check_grid(inputs, dims, label)
    laid = [lay_axis(d, inputs, findings) for d, op in dims.items() if op == "concat"]
    findings.stop_if_any(label)
    axes = {axis.name: arrange(axis, inputs, options.order, findings) for axis in laid}
    _check_elements(axes.values(), inputs, findings)
    members = members_by_name(inputs)
    _check_tolerances(options, members, findings)
    same = Sameness(options, schema.values)
    arrays = {n: plan_array(n, found, inputs, dims, axes, options, same, findings) for n, found in members.items()}
    check_sizes(inputs, axes, findings)
    if options.check_order:
        for axis in axes.values():
            check_order(axis, inputs, options.order, findings)
    strict = options.combine_attrs == "identical"
    attrs = agree_attrs("the dataset", {k: (i, i.attrs) for k, i in inputs.items() if not i.gap}, strict, findings)
    findings.stop_if_any(label)
    sizes = {d: n for a in arrays.values() for d, n in zip(a.dims, a.shape, strict=True)}
    return Template(
        arrays, {**attrs, **thaw(freeze(options.attrs))}, axes, sizes, options.zarr_format, tuple(findings.notes),
        options.format,
    )  # fmt: skip


def _check_elements(axes: Iterable[Axis], inputs: Inputs, findings: Findings) -> None:
    """Insist that there is something to store."""
    for axis in axes:
        if not axis.size:
            first = min(inputs)
            findings.refuse(
                f"no input has any element along '{axis.name}'",
                name_input(first, inputs[first]),
                "check that the pattern names the right files",
            )


def _check_tolerances(options: StoreOptions, names: Iterable[str], findings: Findings) -> None:
    """Insist that every tolerance is one of a variable that there is."""
    known = set(names)
    asked = options.coordinate_tolerance if isinstance(options.coordinate_tolerance, Mapping) else {}
    for name in asked:
        if name not in known:
            findings.refuse(
                f"coordinate_tolerance names a variable '{name}' that no input has",
                "coordinate_tolerance",
                did_you_mean(name, known),
            )
