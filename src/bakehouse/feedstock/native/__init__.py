"""From an upstream feedstock to a native one: metadata merged and mended, recipes declared where that is proven."""

from bakehouse.feedstock.native.make import make_native, native_id
from bakehouse.feedstock.native.report import Made, Report

__all__ = ["Made", "Report", "make_native", "native_id"]
