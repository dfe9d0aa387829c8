"""Figures with their targets, and the three forms they are given out in: lines, JSON, a Markdown table."""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import torch

from gansmith.system import hardware
from gansmith.system.device import Precision
from gansmith.system.operations import Operations
from gansmith.training import precision

ROOT = Path(__file__).parent.parent
LOAD = round(psutil.getloadavg()[0], 2)  # of the minute before; more than 0.2, and the figures are another's too
BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"


@dataclass(frozen=True)
class Figure:
    """Values of one quantity, and the target its median has, if any.

    digits: after the point.
    """

    part: str
    name: str
    unit: str
    values: Sequence[float]
    at_least: float | None = None
    at_most: float | None = None
    digits: int = 2

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def target(self) -> str:
        if self.at_least is not None:
            return f"at least {self.at_least:,g}"
        return "" if self.at_most is None else f"at most {self.at_most:,g}"

    @property
    def met(self) -> bool | None:
        """None where there is no target."""
        if self.at_least is not None:
            return self.median >= self.at_least
        return None if self.at_most is None else self.median <= self.at_most

    def cells(self) -> list[str]:
        low, middle, high = (f"{value:,.{self.digits}f}" for value in (min(self.values), self.median, max(self.values)))
        verdict = {None: "", True: "met", False: "MISSED"}[self.met]
        return [self.name, f"{middle} {self.unit}".strip(), low, high, str(len(self.values)), self.target, verdict]

    def plain(self) -> dict[str, Any]:
        return {**asdict(self), "values": list(self.values), "median": self.median, "met": self.met}


HEADER = ["", "median", "least", "most", "n", "target", ""]


def facts() -> dict[str, Any]:
    """The machine's, its load before we began, and the commit ("+" behind it: with changes not committed)."""
    found = hardware.facts()
    del found["threads"]  # differs from figure to figure
    return {**found, "commit": commit(), "load before": LOAD}


def commit() -> str:
    try:
        name = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        changed = subprocess.run(
            ["git", "status", "--porcelain", "--untracked-files=no"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return name.stdout.strip() + ("+" if changed.stdout.strip() else "")


def lines(figures: Sequence[Figure]) -> str:
    """Aligned columns, for a terminal."""
    rows = [HEADER, *(figure.cells() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    return "\n".join(
        f"{row[0]:<{widths[0]}}  "
        + "  ".join(f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True)).rstrip()
        for row in rows
    )


def markdown(figures: Sequence[Figure], found: Mapping[str, Any]) -> str:
    """What stands between the two comments of docs/speed.md."""
    said = ", ".join(f"{name} {value}" for name, value in found.items())
    table = [HEADER, ["---"] + ["---:"] * 4 + ["---", "---"], *(figure.cells() for figure in figures)]
    return "\n".join([f"Measured on: {said}.", "", *(f"| {' | '.join(row)} |" for row in table)])


def write_between(path: Path, text: str, *, begin: str = BEGIN, end: str = END) -> None:
    """Replace what stands between the two comments in `path`."""
    old = path.read_text(encoding="utf-8")
    before, first, rest = old.partition(begin)
    _, last, after = rest.partition(end)
    if not first or not last:
        raise SystemExit(f"{path} has no lines {begin} and {end} to write between")
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def native(floors: Mapping[Precision, float], *, quick: bool = False) -> dict[Precision, float]:
    """Those of the number formats that this processor computes in; of the others is told that they were left out."""
    found = {
        name: floor for name, floor in floors.items() if quick or not precision.warnings(torch.device("cpu"), name)
    }
    for name in floors.keys() - found.keys():
        print(f"{name} was left out: {precision.warnings(torch.device('cpu'), name)[0]}", flush=True)
    return found


def operations(play: Callable[[int], object]) -> float:
    """Floating-point operations of one step."""
    with Operations() as counter:
        play(1)
    return float(counter.total)


def arguments(description: str | None) -> argparse.ArgumentParser:
    """What all parts understand."""
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions: to see that it runs")
    return parser


def main(measure: Callable[[bool], list[Figure]], description: str | None) -> None:
    """One part as a program."""
    chosen = arguments(description).parse_args()
    torch.set_num_threads(1)
    give_out(measure(chosen.quick), chosen.json)


def give_out(figures: Sequence[Figure], file: Path | None) -> dict[str, Any]:
    """Print, and write to `file`; returns the facts."""
    found = facts()
    print(", ".join(f"{name} {value}" for name, value in found.items()))
    print(lines(figures))
    if file is not None:
        file.write_text(
            json.dumps({"facts": found, "figures": [figure.plain() for figure in figures]}, indent=2) + "\n"
        )
    return found
