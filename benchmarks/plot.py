"""Draw all contestants' times: ``plot.py RESULTS.json PLOT.svg``; runs in a peer's environment."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.hashsalt": "bakehouse", "font.size": 8})
from matplotlib import pyplot  # noqa: E402

COLOURS = {"ours": "#b5541c", "packaged": "#5b7f95", "handwritten": "#93b5a3", "floor": "#c9c2b0"}


def draw(axes: Any, said: dict[str, Any]) -> None:
    """Draw one workload's bars, with the range of its runs."""
    ran = [each for each in said["contestants"] if each["runs"]]
    for position, each in enumerate(reversed(ran)):
        middle, least, most = each["work_s"]
        axes.barh(
            position, middle, color=COLOURS[each["kind"]], xerr=[[middle - least], [most - middle]], ecolor="#444444"
        )
        axes.text(most, position, f" {middle:.1f} s", va="center")
    axes.set_yticks(range(len(ran)), [each["name"] for each in reversed(ran)])
    axes.set_title(f"{said['workload']}: {said['title']}", loc="left", fontsize=9)
    axes.margins(x=0.12)
    axes.spines[["top", "right"]].set_visible(False)


def main() -> None:
    """Draw every workload below the other."""
    known = [each for each in json.loads(Path(sys.argv[1]).read_text()).values()]
    known = [each for each in known if any(held["runs"] for held in each["contestants"])]
    if not known:
        return
    heights = [1 + len(each["contestants"]) for each in known]
    figure, axes = pyplot.subplots(
        len(known), figsize=(8, 0.24 * sum(heights)), height_ratios=heights, layout="constrained", squeeze=False
    )
    for each, held in zip(axes[:, 0], known, strict=True):
        draw(each, held)
    axes[-1, 0].set_xlabel("seconds, without our verification; colour: ours, packaged, handwritten, floor")
    figure.savefig(sys.argv[2], metadata={"Date": None})


if __name__ == "__main__":
    main()
