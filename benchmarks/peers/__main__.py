"""python -m benchmarks.peers --python ENV/bin/python --data FOLDER --weights mobilenet_v2.pth: the cells that are not
measured yet, each peer beside gansmith's default; figures are added to cells.jsonl, sheets to --sheets."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from benchmarks.defaults.cell import Key, extractor_of
from benchmarks.defaults.sets import SETS
from benchmarks.peers.cell import Place, measure
from benchmarks.peers.registry import OURS, PEERS, versions
from benchmarks.peers.table import markdown
from benchmarks.report import write_between

FILE = Path(__file__).with_name("cells.jsonl")
NUMBERS = {"own": {OURS: "bfloat16"}, "float32": {}, "bfloat16": {}}  # peers whose own differ from float32


def main() -> None:
    chosen = _arguments().parse_args()
    if chosen.write is not None:
        write_between(chosen.write, markdown(known(chosen.file)))
        return
    if chosen.data is None or chosen.weights is None:
        raise SystemExit("--data and --weights are needed to measure, --write FILE alone writes the table")
    torch.set_num_threads(1)
    wanted = keys(chosen)
    packages = versions(dict.fromkeys(key.candidate for key in wanted), chosen.python)
    place = Place(chosen.data, chosen.sheets, chosen.python, extractor_of(chosen.weights), chosen.samples)
    for key in missing(wanted, chosen.file):
        line = {**asdict(key), **measure(key, place), "versions": packages.get(key.candidate, _ours())}
        line |= {"machine": platform.machine(), "features": str(place.extractor)}
        with chosen.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        said = (key.set, key.candidate, key.precision, line["images"], line.get("ruler"), line.get("why"))
        print(*said, flush=True)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="that has the peers' packages")
    parser.add_argument("--data", type=Path, help="the folder of the sets' files")
    parser.add_argument("--weights", help="of MobileNetV2, the judge's")
    parser.add_argument("--sets", default="signs,horses", help="with commas between, SET or SET:COUNT")
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=900.0, help="of processor time for each training")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--peers", default=",".join([OURS, *PEERS]), help="with commas between")
    parser.add_argument("--numbers", default="own", help="own, float32, bfloat16, with commas between")
    parser.add_argument("--samples", type=int, help="of each peer, fewer for a trial")
    parser.add_argument("--sheets", type=Path, default=Path("sheets"))
    parser.add_argument("--file", type=Path, default=FILE)
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table between the comments of this file")
    return parser


def keys(chosen: argparse.Namespace) -> list[Key]:
    """The cells that are asked for, seed by seed, so that a series that is stopped has something of every peer."""
    names, kinds = chosen.peers.split(","), chosen.numbers.split(",")
    sets = dict(_counted(word) for word in chosen.sets.split(","))
    _require("peer", names, [OURS, *PEERS])
    _require("set", sets, SETS)
    _require("kind of numbers", kinds, NUMBERS)
    cells = [
        Key(name, count, chosen.size, peer, int(seed), chosen.seconds, _precision(kind, peer))
        for seed in chosen.seeds.split(",")
        for name, count in sets.items()
        for peer in names
        for kind in kinds
    ]
    return list(dict.fromkeys(cells))


def _precision(kind: str, peer: str) -> str:
    return NUMBERS[kind].get(peer, "float32" if kind == "own" else kind)


def _counted(word: str) -> tuple[str, int]:
    """`SET:COUNT`; of a name alone 2,500 images, or all where there are fewer."""
    name, _, count = word.partition(":")
    most = SETS[name].images if name in SETS else 0
    return name, int(count) if count else min(2_500, most)


def _require(what: str, names: Iterable[str], allowed: Iterable[str]) -> None:
    for name in names:
        if name not in allowed:
            raise SystemExit(f"no {what} called {name!r}. Known: {', '.join(allowed)}")


def known(file: Path) -> list[dict[str, Any]]:
    """The lines of the file; a last one that was cut off is left out."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    read = []
    for number, text in enumerate(lines, 1):
        try:
            read.append(json.loads(text))
        except json.JSONDecodeError:
            if number < len(lines):
                raise
    return read


def missing(wanted: Iterable[Key], file: Path) -> list[Key]:
    """The cells that the file has no figures of."""
    done = {Key(**{name: line[name] for name in Key.__dataclass_fields__}) for line in known(file)}
    return [key for key in wanted if key not in done]


def _ours() -> dict[str, str]:
    return {"torch": torch.__version__}


if __name__ == "__main__":
    main()
