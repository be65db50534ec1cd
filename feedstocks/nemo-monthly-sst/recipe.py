"""Three files whose `time_counter` is 0 in each: the dates are in `time_centered`."""

import apache_beam as beam

from bakehouse.patterns import ConcatDim, FilePattern
from bakehouse.transforms import OpenURLWithFSSpec, OpenWithXarray, StoreToZarr

months = ["20150101-20150201", "20150201-20150301", "20150301-20150401"]


def make_url(time_centered):
    return f"package://iris_sample_data/sample_data/NEMO/nemo_1m_{time_centered}_grid-T.nc"


class UseCentredTime(beam.PTransform):
    """Let `time_centered` take the place of `time_counter`, as dimension and as coordinate."""

    @staticmethod
    def _swap(item):
        index, ds = item
        return index, ds.drop_vars("time_counter").swap_dims(time_counter="time_centered")

    def expand(self, pcoll):
        return pcoll | beam.Map(self._swap)


pattern = FilePattern(make_url, ConcatDim("time_centered", months, nitems_per_file=1))

recipe = (
    beam.Create(pattern.items())
    | OpenURLWithFSSpec()
    | OpenWithXarray(file_type=pattern.file_type)
    | UseCentredTime()
    | StoreToZarr(store_name="nemo-monthly-sst.zarr", combine_dims=pattern.combine_dim_keys)
)
