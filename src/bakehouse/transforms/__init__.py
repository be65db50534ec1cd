"""The pipeline in Pangeo Forge's spelling: pattern → open → (any Beam steps) → store to zarr.

What a recipe does not say — the target, the mode of the run, mirrors of URLs — comes from the run's context when the
pipeline expands, so every spelling of a recipe works.
"""

from bakehouse.patterns import CombineOp, Dimension, Index
from bakehouse.transforms.opening import LabelNewDims, OpenURLWithFSSpec, OpenWithXarray
from bakehouse.transforms.store import StoreToZarr

__all__ = ["CombineOp", "Dimension", "Index", "LabelNewDims", "OpenURLWithFSSpec", "OpenWithXarray", "StoreToZarr"]
