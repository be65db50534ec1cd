"""Whether a store is whole: what was looked at, how much of it, and what is wrong."""

from bakehouse.verify.dataset import check_dataset
from bakehouse.verify.documents import as_documents, check_documents, check_lengths
from bakehouse.verify.objects import check_grid, check_objects, check_tasks
from bakehouse.verify.proof import Proof, Proven, read_proof
from bakehouse.verify.published import Published, Registered, check_coordinates, check_published
from bakehouse.verify.report import Checked, NotWholeError, Problem, Statement, stop_on
from bakehouse.verify.sources import check_inputs, check_values, check_version

__all__ = [
    "Checked",
    "NotWholeError",
    "Problem",
    "Proof",
    "Proven",
    "Published",
    "Registered",
    "Statement",
    "as_documents",
    "check_coordinates",
    "check_dataset",
    "check_documents",
    "check_grid",
    "check_inputs",
    "check_lengths",
    "check_objects",
    "check_published",
    "check_tasks",
    "check_values",
    "check_version",
    "read_proof",
    "stop_on",
]
