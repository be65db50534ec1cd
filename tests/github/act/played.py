"""All scenarios: the modules add theirs, flow by flow, when they are imported."""

from tests.github.act import (  # noqa: F401
    flow_bake,
    flow_check,
    flow_command,
    flow_forms,
    flow_nightly,
    flow_release,
    flow_update,
)
from tests.github.act.scenarios import SCENARIOS

__all__ = ["SCENARIOS"]
