"""Projected discriminators beside a plain DCGAN at equal seconds of one core, judged by a network that neither read.

    python -m benchmarks.projected --data FOLDER --weights vgg16.ckpt --sheets sheets/

Hand signs at 64 px and CIFAR-10's horses at 32 px, one seed, bfloat16; the cells are those of `benchmarks.defaults`. A
cell is a line of --file, and a later call goes on with what is missing. `projected_small` reads MobileNetV2's weights
from the cache; --weights are VGG16's, which judges. Look at the sheets.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

import torch

from benchmarks.defaults.cell import Key, measure
from benchmarks.defaults.tables import tables
from gansmith import catalog
from gansmith.evaluation.types import Extractor
from gansmith.system.files import atomic

SETS = (("signs", 2_059, 64), ("horses", 5_000, 32))  # name, images, pixels a side
CANDIDATES = ("projected_small", "resize")
FILE = Path(__file__).with_name("projected.jsonl")


def keys(seconds: float, seeds: Iterable[int]) -> Iterator[Key]:
    """The cells, a set's beside each other."""
    for seed in seeds:
        for name, count, size in SETS:
            for candidate in CANDIDATES:
                yield Key(name, count, size, candidate, seed, seconds)


def missing(cells: Iterable[Key], file: Path) -> Iterator[Key]:
    """Those that have no line in the file yet."""
    lines = [json.loads(text) for text in file.read_text().splitlines()] if file.exists() else []
    known = {Key(**{name: line[name] for name in Key.__dataclass_fields__}) for line in lines}
    yield from (cell for cell in cells if cell not in known)


def add(cell: Key, data: Path, sheets: Path, extractor: Extractor, file: Path) -> None:
    """Measure one cell, and add its line to the file."""
    line = {**asdict(cell), **measure(cell, data, sheets, extractor)}
    line |= {"torch": torch.__version__, "machine": platform.machine(), "features": str(extractor)}
    before = file.read_text() if file.exists() else ""
    with atomic(file, replace=True) as stream:
        stream.write(f"{before}{json.dumps(line)}\n".encode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--sheets", type=Path, default=Path("sheets"))
    parser.add_argument("--file", type=Path, default=FILE)
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    extractor: Extractor = catalog.build("features", "vgg", weights=chosen.weights, device="cpu")
    for cell in missing(keys(chosen.seconds, chosen.seeds), chosen.file):
        add(cell, chosen.data, chosen.sheets, extractor, chosen.file)
    print(tables([json.loads(text) for text in chosen.file.read_text().splitlines()]))


if __name__ == "__main__":
    main()
