"""Run a staged pipeline as a Dataflow worker would: with the staged wheel, from the staged graph, and nothing else.

Run as ``python worker.py PIPELINE WHEEL``; it needs nothing from this repository.
"""

from __future__ import annotations

import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any


def load(data: bytes) -> Any:
    """Read a graph, and let its code run in this process instead of in a container."""
    from apache_beam.portability import python_urns
    from apache_beam.portability.api import beam_runner_api_pb2

    graph = beam_runner_api_pb2.Pipeline.FromString(data)
    for environment in graph.components.environments.values():
        environment.urn, environment.payload = python_urns.EMBEDDED_PYTHON, b""
        del environment.dependencies[:]
    return graph


def main(pipeline: str, wheel: str) -> None:
    """Run the graph to its end; fail as it does."""
    with tempfile.TemporaryDirectory() as installed:
        zipfile.ZipFile(wheel).extractall(installed)
        sys.path.insert(0, installed)
        run(pipeline, installed)


def run(pipeline: str, installed: str) -> None:
    """Run the graph, once it is sure that the engine is the one that was shipped."""
    import bakehouse

    assert str(bakehouse.__file__).startswith(installed), bakehouse.__file__
    from apache_beam.options.pipeline_options import PipelineOptions
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner

    FnApiRunner().run_via_runner_api(load(Path(pipeline).read_bytes()), PipelineOptions(flags=[]))


if __name__ == "__main__":
    main(*sys.argv[1:])
