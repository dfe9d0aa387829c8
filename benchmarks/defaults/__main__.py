"""python -m benchmarks.defaults CELLS --data FOLDER --weights mobilenet_v2.pth: each line of the file CELLS that is not
measured yet, `SET COUNT SIZE SECONDS SEEDS CANDIDATE...`; figures are added to cells.jsonl, sheets to --sheets."""

from __future__ import annotations

import argparse
import json
import platform
from dataclasses import asdict
from pathlib import Path

import torch

from benchmarks.defaults.cell import Key, extractor_of, measure

FILE = Path(__file__).with_name("cells.jsonl")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.defaults", description=__doc__)
    parser.add_argument("cells", type=Path, help="a file of lines: SET COUNT SIZE SECONDS SEEDS CANDIDATE...")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--sheets", type=Path, default=Path("sheets"))
    parser.add_argument("--file", type=Path, default=FILE)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    extractor = extractor_of(chosen.weights)
    while key := _next(chosen.cells, chosen.file):
        line = {**asdict(key), **measure(key, chosen.data, chosen.sheets, extractor)}
        line |= {"torch": torch.__version__, "machine": platform.machine(), "features": str(extractor)}
        with chosen.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print(line["set"], line["candidate"], line["images"], line.get("ruler"), line.get("thing"), flush=True)


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
        name, count, size, seconds, seeds, candidate = text.split(" ", 5)
        for seed in seeds.split(","):
            key = Key(name, int(count), int(size), candidate.strip(), int(seed), float(seconds))
            if key not in known:
                return key
    return None


if __name__ == "__main__":
    main()
