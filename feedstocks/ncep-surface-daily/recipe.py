"""One file a year and variable: years are concatenated, variables merged."""

import apache_beam as beam

from bakehouse.patterns import ConcatDim, FilePattern, MergeDim
from bakehouse.transforms import OpenURLWithFSSpec, OpenWithXarray, StoreToZarr

URL = "https://downloads.psl.noaa.gov/Datasets/ncep.reanalysis/Dailies/surface/{variable}.{time}.nc"


def make_url(time, variable):
    return URL.format(time=time, variable=variable)


pattern = FilePattern(
    make_url,
    ConcatDim("time", list(range(2002, 2012))),  # years have 365 or 366 days: lengths are read from the files
    MergeDim("variable", ["air.sig995", "rhum.sig995", "uwnd.sig995"]),
)

recipe = (
    beam.Create(pattern.items())
    | OpenURLWithFSSpec()
    | OpenWithXarray(file_type=pattern.file_type)
    | StoreToZarr(
        store_name="ncep-surface-daily.zarr",
        combine_dims=pattern.combine_dim_keys,
        target_chunks={"time": 366},
    )
)
