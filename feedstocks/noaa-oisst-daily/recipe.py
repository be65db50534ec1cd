"""One file a day, int16 packed to hundredths of a degree."""

import apache_beam as beam
import pandas as pd

from bakehouse.patterns import ConcatDim, FilePattern
from bakehouse.transforms import OpenURLWithFSSpec, OpenWithXarray, StoreToZarr

URL = (
    "https://www.ncei.noaa.gov/data/sea-surface-temperature-optimum-interpolation/"
    "v2.1/access/avhrr/{time:%Y%m}/oisst-avhrr-v02r01.{time:%Y%m%d}.nc"
)
dates = pd.date_range("1981-09-01", "2024-12-31", freq="D")


def make_url(time):
    return URL.format(time=time)


pattern = FilePattern(make_url, ConcatDim("time", dates, nitems_per_file=1))

recipe = (
    beam.Create(pattern.items())
    | OpenURLWithFSSpec()
    | OpenWithXarray(file_type=pattern.file_type)
    | StoreToZarr(store_name="noaa-oisst.zarr", combine_dims=pattern.combine_dim_keys)
)
