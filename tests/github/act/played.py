"""All scenarios: the modules add theirs, flow by flow, when they are imported."""

from tests.github.act import flow_bake, flow_check, flow_command, flow_forms, flow_nightly, flow_update  # noqa: F401
from tests.github.act.scenarios import SCENARIOS

__all__ = ["SCENARIOS"]
