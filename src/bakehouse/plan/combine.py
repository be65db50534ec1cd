"""Combine what the inputs' headers say into the arrays of one dataset, or say everything that is in the way."""

from __future__ import annotations

from collections.abc import Mapping

from bakehouse.plan.agree import agree_attrs
from bakehouse.plan.arrays import plan_array
from bakehouse.plan.axes import check_grid, check_sizes, lay_axis, one_per_key
from bakehouse.plan.findings import Findings
from bakehouse.plan.order import check_order
from bakehouse.plan.types import StoreOptions, Template
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
    axes = {d: lay_axis(d, inputs, findings) for d, op in dims.items() if op == "concat"}
    findings.stop_if_any(label)
    names = list(dict.fromkeys(name for key in sorted(inputs) for name, _ in inputs[key].variables))
    arrays = {name: plan_array(name, inputs, dims, axes, options, findings) for name in names}
    check_sizes(inputs, axes, findings)
    if options.check_order:
        for axis in axes.values():
            check_order(axis, inputs, findings)
    strict = options.combine_attrs == "identical"
    attrs = agree_attrs("the dataset", {k: (i, i.attrs) for k, i in inputs.items()}, strict, findings)
    findings.stop_if_any(label)
    sizes = {d: n for a in arrays.values() for d, n in zip(a.dims, a.shape, strict=True)}
    return Template(
        arrays, {**attrs, **thaw(freeze(options.attrs))}, axes, sizes, options.zarr_format, tuple(findings.notes)
    )
