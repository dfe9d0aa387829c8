"""Cells of the defaults.

    python -m benchmarks.defaults CELLS --data FOLDER --weights mobilenet_v2.pth   # measures, on one core
    python -m benchmarks.defaults --write docs/defaults.md                         # the tables, from the file

CELLS is a file of lines `SET COUNT SIZE SECONDS SEEDS CANDIDATE...`: `horses 2500 32 120 0,1 resize batch=32`;
`120/float32` where it is not bfloat16. What is not measured yet is, one cell after the other; figures are added to
cells.jsonl, sheets to --sheets.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import psutil
import torch

from benchmarks.defaults.cell import Key, extractor_of, measure
from benchmarks.defaults.tables import tables
from benchmarks.report import facts, write_between

BEGIN, END = "<!-- cells: begin -->", "<!-- cells: end -->"
FILE = Path(__file__).with_name("cells.jsonl")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.defaults", description=__doc__)
    parser.add_argument("cells", type=Path, nargs="?", help="what to measure")
    parser.add_argument("--data", type=Path, default=Path(), help="the folder of the sets' files")
    parser.add_argument("--weights", help="MobileNetV2's file")
    parser.add_argument("--sheets", type=Path, default=Path("sheets"))
    parser.add_argument("--file", type=Path, default=FILE)
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the tables between the comments of this file")
    chosen = parser.parse_args()
    if chosen.cells is not None:
        if chosen.weights is None:
            parser.error("to measure, say where MobileNetV2's weights are: --weights FILE")
        torch.set_num_threads(1)
        extractor = extractor_of(chosen.weights)
        while key := _next(chosen.cells, chosen.file):
            line = {**asdict(key), **measure(key, chosen.data, chosen.sheets, extractor), **facts(), "load": load()}
            line |= {"features": str(extractor)}
            with chosen.file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            print(line["set"], line["candidate"], line["images"], line.get("ruler"), line.get("thing"), flush=True)
    text = tables([json.loads(line) for line in chosen.file.read_text(encoding="utf-8").splitlines()])
    print(text)
    if chosen.write is not None:
        write_between(chosen.write, text, begin=BEGIN, end=END)


def load() -> float:
    """Processes that wanted a core in the last five minutes: above the cores, processor time is slower than alone."""
    return round(psutil.getloadavg()[1], 1)


def _next(cells: Path, file: Path) -> Key | None:
    """The first cell without figures: the list is read again each time, so that it may be changed meanwhile."""
    known = set()
    if file.exists():
        for text in file.read_text(encoding="utf-8").splitlines():
            line = json.loads(text)
            known.add(Key(**{name: line[name] for name in Key.__dataclass_fields__}))
    for text in cells.read_text(encoding="utf-8").splitlines():
        if not text.strip() or text.startswith("#"):
            continue
        name, count, size, length, seeds, candidate = text.split(" ", 5)
        seconds, _, precision = length.partition("/")
        for seed in seeds.split(","):
            what = (name, int(count), int(size), candidate.strip(), int(seed), float(seconds))
            key = Key(*what, *([precision] if precision else []))
            if key not in known:
                return key
    return None


if __name__ == "__main__":
    main()
