"""Which recipes are baked, with which source files, and what there is to know about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Case:
    """One recipe of one public feedstock at one commit."""

    id: str
    repository: str
    commit: str
    kind: str
    recipe: str
    store: str
    sources: str
    inputs: int
    subdir: str = "feedstock"
    prune: bool = True
    cache: bool = True
    references: bool = False
    env: dict[str, str] = field(default_factory=dict)
    note: str = ""

    @property
    def folder(self) -> str:
        """Name the folder of the repository."""
        return self.repository.replace("/", "+")


RECIPES = ("pangeo-forge/pangeo-forge-recipes", "7a9b5c580c65dd728fdeb23121fabf060a92b419")
GITHUB = {
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "leap-stc/wavewatch3_feedstock",
    "GITHUB_SHA": "e2ed6ef3dcc084ab71652d47e16400422c700f71",
}


def example(id: str, kind: str, recipe: str, store: str, sources: str, inputs: int, **more: Any) -> Case:
    """Give an example of pangeo-forge-recipes itself."""
    return Case(id, *RECIPES, kind, recipe, store, sources, inputs, subdir="examples/feedstock", **more)


CASES = (
    Case("casm", "leap-stc/CASM", "ed757a40e4f9747f3784ee11648048548028fdd2",
         "concat only, a composite transform that renames", "casm", "casm1.zarr", "casm", 19, prune=False),
    Case("casm-attrs", "leap-stc/casm_feedstock", "26cea0d031599198e922dea1ee48d3922bad6bdd",
         "concat only, target chunks, LEAP's InjectAttrs and Copy, a file read relative to the repository",
         "casm", "casm.zarr", "casm", 19, prune=False),
    Case("metaflux-monthly", "jbusecke/metaflux_feedstock", "60e150cb4246131864b32471ae1c26c10484d33c",
         "concat only, one of two recipes of a module, LEAP's transforms", "metaflux-monthly",
         "METAFLUX_GPP_RECO_monthly.zarr", "metaflux", 21, prune=False,
         note="each file counts time from its own first step, as xarray writes by default"),
    Case("metaflux-daily", "jbusecke/metaflux_feedstock", "60e150cb4246131864b32471ae1c26c10484d33c",
         "concat only, pruned", "metaflux-daily", "METAFLUX_GPP_RECO_daily.zarr", "metaflux", 2,
         note="each file counts time from its own first step, as xarray writes by default"),
    Case("godas-surface", "leap-stc/GODAS", "ba462ed591748cc8441beac446d406d730e961bd",
         "merge and concat, packed int16, load and copy_to_local, Copy to Google Cloud without a condition",
         "godas-surface", "GODAS_surface_level.zarr", "godas", 14,
         note="the last stage copies to Google Cloud, which upstream tries from a local folder; its store is "
              "complete by then. Bakehouse publishes and leaves the copy out"),
    Case("godas-multi", "leap-stc/GODAS", "ba462ed591748cc8441beac446d406d730e961bd",
         "merge and concat in four dimensions", "godas-multi", "GODAS_multiple_levels.zarr", "godas", 10,
         note="as godas-surface"),
    Case("climsim", "leap-stc/climsim_feedstock", "11b4266d1ab13b3ca2ffd97939a1838e3cd1de97",
         "netCDF3 with cftime, 90,000 keys, the time made by the recipe", "climsim-lowres-mli",
         "climsim-lowres-mli.zarr", "climsim", 2),
    Case("enatl", "leap-stc/eNATL_feedstock", "1185a7fae910cd9c97046a4f6cb9a34ff217e7ed",
         "a custom opener (pooch), curvilinear grid",
         "enatl60-blbt02", "eNATL60-BLBT02.zarr", "enatl", 2,
         note="as godas-surface; a fill value of 1e20 is written as the float32 that it is"),
    Case("mursst-token", "ranchodeluxe/mursst-example", "3cd82d8ad079f0e8415de6cfc9a34da4d351a318",
         "authorisation from the environment, packed int16 and int8, Create imported by name",
         "MUR-JPL-L4-GLOB-v4.1", "mursst.zarr", "mur", 5, prune=False, env={"EARTHDATA_TOKEN": "a-token"}),
    Case("aqua-modis", "cisaacstern/aqua-modis-feedstock", "e3c1d5858489f549f55654d8bf79ab4192023e17",
         "user and password from the environment, merge and concat, time made by the recipe", "aqua-modis",
         "aqua-modis.zarr", "modis", 6, env={"EARTHDATA_USERNAME": "user", "EARTHDATA_PASSWORD": "secret"},
         note="upstream loses the time of day: the recipe makes times of 00:25:01, upstream stores whole days"),
    Case("ssebop", "hytest-feedstocks/ssebop-feedstock", "f8a1117440be0aa1cbfd6084843641e7963bde96",
         "zip to GeoTIFF by a custom opener (rioxarray)", "us-ssebop", "ssebop-us.zarr", "ssebop", 2,
         note="the recipe sets _FillValue as an attribute"),
    Case("goes-16", "pangeo-forge/goes-16-feedstock", "bbdf2287e573d36c174252a0f1205733b604e9f7",
         "import-time globbing of a bucket, cache=None, chunks from the number of files", "goes", "goes.zarr",
         "goes", 3, prune=False, cache=False),
    Case("oisst", "carbonplan/leap-pgf-example", "b9a89c73131f3d5868208f1afe0ef43fdfa0899d",
         "packed int16, attributes of the recipe", "recipe", "test_dataset3.zarr", "oisst", 3, prune=False,
         note="imports a name that leap-data-management-utils 0.0.19 no longer has at its root"),
    Case("gpcp", "ranchodeluxe/gpcp-from-gcs-feedstock", "3cc79c04c3f5d414d393373de6a1eb0293a72941",
         "concat only, one item a file, coordinates that are bounds", "gpcp-from-gcs", "gpcp", "gpcp", 2),
    Case("gpcp-pcodec", "hytest-feedstocks/gpcp-pcodec-feedstock", "b7cae0306dd080ee1d2553239ce35176c4657898",
         "a compressor defined by the recipe", "gpcp-from-gcs", "gpcp-pcodec", "gpcp", 2,
         note="the codec has no id, so no reader could find it"),
    Case("ersst-demo", "leap-stc/demo_ersstV5_feedstock", "3c5eaeba1c06484a04d3745bce866c798df3c753",
         "meta.yaml names a recipe that is not there, a placeholder as the store's name", "small",
         "<name_of_your_dataset>.zarr", "hanging_bug", 2, prune=False,
         note="upstream needs all recipes of meta.yaml to be there, also to run one of them"),
    Case("wavewatch3", "leap-stc/wavewatch3_feedstock", "e2ed6ef3dcc084ab71652d47e16400422c700f71",
         "transforms on zarr.storage.FSStore defined by the recipe, meta.yaml read by it", "small", "small.zarr",
         "hanging_bug", 2, prune=False, env=GITHUB,
         note="the recipe's own last stage copies from Google Cloud; upstream leaves the finished store behind"),
    Case("test-leap", "jbusecke/test_leap_dataset", "373be1c5fe48890f96475306f14b5b6a82f19969", "dict_object",
         "METAFLUX_GPP_RECO_monthly",
         "METAFLUX_GPP_RECO_monthly.zarr", "metaflux", 2,
         note="meta.yaml has a mapping where upstream's runner wants a list"),
    example("gpcp-example", "concat only, a test as the last stage", "gpcp-from-gcs", "gpcp.zarr", "gpcp", 2),
    example("gpcp-dynamic", "dynamic chunks", "gpcp-from-gcs-dynamic-chunks", "gpcp.zarr", "gpcp", 2),
    example("gpcp-rechunk", "a zarr store as input, rechunked", "gpcp-rechunk", "gpcp_rechunked.zarr", "gpcp_zarr", 1,
            prune=False),
    example("oisst-example", "packed int16", "noaa-oisst", "noaa-oisst.zarr", "oisst", 2),
    example("terraclimate", "merge and concat, masks, attributes that are no UTF-8", "terraclimate",
            "terraclimate.zarr", "terraclimate", 4),
    example("hrrr-step", "GRIB2 references (kerchunk JSON)", "hrrr-kerchunk-concat-step",
            "hrrr-concat-step/reference.json", "hrrr", 2, references=True),
    Case("mursst-references", "developmentseed/pangeo-forge-staging", "6db3af9317594af3adbb72be2d98ef760b3e93f4",
         "kerchunk JSON of netCDF4 in a bucket, a DoFn that signs in, credentials from the environment",
         "MUR-JPL-L4-GLOB-v4.1", "MUR-JPL-L4-GLOB-v4.1/reference.json", "mur", 2, subdir="recipes/mursst",
         references=True, env={"AUTH_MODE": "iamrole"}),
    Case("nex-gddp", "carbonplan/kerchunk-NEX-GDDP-CMIP6", "b60e6b05f563a1e2055338939fd3b63e8eeefab3",
         "references to parquet, merge and concat, tables read and written at import", "Nasa-Nex",
         "ACCESS-CM2_historical/reference.parquet", "nex", 4, subdir="generation/pangeo-forge/feedstock",
         references=True, prune=False),
)  # fmt: skip
