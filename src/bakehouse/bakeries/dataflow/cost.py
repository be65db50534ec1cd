"""What a job on Dataflow may cost, and what it has cost so far: estimates, at list prices."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bakehouse.meta.dataflow import Dataflow, Prices

BYTES_PER_VCPU_S = 40e6
"""Decoded bytes that one virtual CPU reads, decodes, encodes and writes in a second, waiting for buckets included."""
PER_INPUT_S, PER_TASK_S, START_S = 2.0, 1.0, 300.0
"""Header and connections of one input, overhead of one task, and the start of one worker."""
SHARE_S = 600.0
"""How long the service lets a worker's share of the work be before it adds another."""
DISK_GB = 25
MEMORY_GB = {"n1-standard": 3.75, "n1-highmem": 6.5, "n1-highcpu": 0.9, "c3-highcpu": 2.0, "standard": 4.0,
             "highmem": 8.0, "highcpu": 1.0}  # fmt: skip
"""Memory for each virtual CPU, by series and kind, else by kind."""
HOUR_S, MB_PER_GB = 3600, 1024


@dataclass(frozen=True)
class Machine:
    """What a kind of worker has."""

    vcpus: int
    memory_gb: float


@dataclass(frozen=True)
class Estimate:
    """What a job may cost, and what that rests on."""

    usd: float
    vcpu_hours: float
    workers: int

    def __str__(self) -> str:
        return (
            f"about ${self.usd:.2f}: {self.vcpu_hours:.1f} vCPU hours on up to {self.workers} workers, at list prices"
        )


def machine(kind: str) -> Machine:
    """Tell from Compute Engine's name of a machine what it has; one of an unknown kind is taken for an n1-highmem-2.

    Examples
    --------
    >>> machine("n2-standard-8"), machine("n1-highmem-2"), machine("e2-custom-4-8192")
    (Machine(vcpus=8, memory_gb=32.0), Machine(vcpus=2, memory_gb=13.0), Machine(vcpus=4, memory_gb=8.0))
    """
    if custom := re.search(r"custom-(\d+)-(\d+)", kind):
        return Machine(int(custom[1]), int(custom[2]) / MB_PER_GB)
    found = re.fullmatch(r"(\w+)-(standard|highmem|highcpu)-(\d+)", kind)
    if found is None:
        return Machine(2, 13.0)
    each = MEMORY_GB.get(f"{found[1]}-{found[2]}", MEMORY_GB[found[2]])
    return Machine(int(found[3]), int(found[3]) * each)


def estimate(plan: Mapping[str, Any], settings: Dataflow, workers: int | None = None) -> Estimate:
    """Estimate what a planned job costs: right to a factor of a few, as inputs and networks differ."""
    of = machine(settings.machine_type)
    again = 2 if plan["check"]["level"] == "full" else 1 + plan["check"]["tasks"] / max(plan["tasks"], 1)
    work_s = plan["decoded_bytes"] * again / BYTES_PER_VCPU_S
    work_s += plan["inputs"]["count"] * PER_INPUT_S + plan["tasks"] * PER_TASK_S
    most = workers or settings.max_num_workers or 1000
    count = min(max(math.ceil(work_s / of.vcpus / SHARE_S), 1), most)
    worker_hours = (work_s / of.vcpus + count * START_S) / HOUR_S
    usage = {
        "TotalVcpuTime": worker_hours * of.vcpus * HOUR_S,
        "TotalMemoryUsage": worker_hours * of.memory_gb * HOUR_S * MB_PER_GB,
        "TotalPdUsage": worker_hours * (settings.disk_size_gb or DISK_GB) * HOUR_S,
    }
    return Estimate(round(cost_usd(usage, settings.prices) or 0.0, 4), worker_hours * of.vcpus, count)


def cost_usd(usage: Mapping[str, float], prices: Prices) -> float | None:
    """Put prices on what a job has used, as Dataflow's metrics have it; None if they have nothing.

    Examples
    --------
    >>> cost_usd({"TotalVcpuTime": 7200, "TotalMemoryUsage": 3600 * 1024 * 13}, Prices())
    0.158241
    """
    per = {
        "TotalVcpuTime": prices.vcpu_hour_usd / HOUR_S,
        "TotalMemoryUsage": prices.memory_gb_hour_usd / HOUR_S / MB_PER_GB,
        "TotalPdUsage": prices.disk_gb_hour_usd / HOUR_S,
        "TotalSsdUsage": prices.ssd_gb_hour_usd / HOUR_S,
        "TotalShuffleDataProcessed": prices.shuffle_gb_usd,
    }
    known = [usage[name] * price for name, price in per.items() if name in usage]
    return round(sum(known), 6) if known else None
