"""JSON Schemas of the documents that pass between jobs, by their file; `docs/generate.py` writes them."""

from __future__ import annotations

from pydantic import BaseModel

from bakehouse.github.requests import Request
from bakehouse.github.result import Result
from bakehouse.github.runs import RunResult

MODELS: dict[str, type[BaseModel]] = {
    "schemas/check-result.schema.json": Result,
    "schemas/request.schema.json": Request,
    "schemas/run-result.schema.json": RunResult,
}
