"""Run the trials that are missing, or write the tables. See the package's docstring."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.judge import table
from benchmarks.judge.conditions import PARTS
from benchmarks.judge.memory import remembering
from benchmarks.judge.subjects import SOURCES
from benchmarks.judge.trial import code, read, run
from benchmarks.report import write_between
from gansmith import catalog

FILE = Path(__file__).with_name("trials.jsonl")
OFTEN, SELDOM = 3, 0.4  # times as many splits of honest samples, and of conditions of which any verdict is right


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.judge", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="the folder of the sets' files")
    parser.add_argument("--weights", help="of the features' network")
    parser.add_argument("--features", default="mobilenet")
    parser.add_argument("--size", type=int, default=112, help="pixels that the network sees")
    parser.add_argument("--sets", default=",".join(SOURCES))
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--conditions", default="", help="only these, with commas between")
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--file", type=Path, default=FILE)
    parser.add_argument("--memory", type=Path, default=Path(tempfile.gettempdir()) / "judge-features.sqlite")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the tables between the comments of this file")
    chosen = parser.parse_args()
    if chosen.write is not None:
        write_between(chosen.write, table.markdown(read(chosen.file)))
        return
    torch.set_num_threads(1)
    os.environ["GANSMITH_CACHE"] = tempfile.mkdtemp(prefix="judge-cache-")
    built = catalog.build("features", chosen.features, weights=chosen.weights, device="cpu", size=chosen.size)
    extractor, digest = remembering(built, chosen.memory), code()
    protocol = {"code": digest, "features": str(extractor)}
    done = {_key(line) for line in read(chosen.file) if line["code"] == digest and line["features"] == str(extractor)}
    wanted = [job for job in _jobs(chosen) if job not in done]
    begun = time.perf_counter()
    for number, job in enumerate(wanted, 1):
        line = run(job[0], job[1], job[2], job[3], data=chosen.data, extractor=extractor)
        if line is None:
            continue
        with chosen.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({**line, **protocol}) + "\n")
        asked = PARTS[job[0]][job[2]]
        verdict = line["answers"][asked.question]["verdict"]
        left = (time.perf_counter() - begun) / number * (len(wanted) - number)
        print(f"{number} of {len(wanted)}, {left / 60:.0f} min left: {' '.join(map(str, job))}: {verdict}", flush=True)
    print(table.markdown(read(chosen.file)))


def _jobs(chosen: argparse.Namespace) -> list[tuple[str, str, str, int]]:
    """Split by split, so that a run that is stopped has something of everything."""
    named = [name for name in chosen.conditions.split(",") if name]
    jobs = []
    for split in range(OFTEN * chosen.splits):
        for part in chosen.parts.split(","):
            for condition, about in PARTS[part].items():
                often = OFTEN if condition == "honest" else SELDOM if about.truth == "any" else 1
                if (named and condition not in named) or split >= often * chosen.splits:
                    continue
                jobs += [(part, name, condition, split) for name in chosen.sets.split(",")]
    return jobs


def _key(line: dict[str, Any]) -> tuple[str, str, str, int]:
    return line["part"], line["set"], line["condition"], line["split"]


if __name__ == "__main__":
    main()
