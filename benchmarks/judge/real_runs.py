"""Do the ruler and what is seen agree with people? Real runs, whose sheets were ranked blind by several people.

    python -m benchmarks.judge.real_runs FOLDER --weights mobilenet_v2.pth   # runs named SET-NAME; adds to the file
    python -m benchmarks.judge.real_runs                                     # the table, from the file
    python -m benchmarks.judge.real_runs --write docs/evaluation.md

eyes.json has {set: [one ranking a person: [[names that are equal], ... from best to worst]]}. A pair of runs of one set
counts where all people put the same one first; it agrees where the measure does too.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import torch

from benchmarks.judge.trial import answers_of, code, read
from benchmarks.report import write_between
from gansmith import catalog
from gansmith.evaluation.audit.audit import answer_all
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import Extractor
from gansmith.judge.evidence import Extractors, evidence_of, sides_of
from gansmith.judge.image_sets import subject_of
from gansmith.judge.reference_images import reals_of

BEGIN, END = "<!-- real runs: begin -->", "<!-- real runs: end -->"
EYES, FILE = (Path(__file__).with_name(name) for name in ("eyes.json", "real_runs.jsonl"))
SAMPLES, REAL = 300, 2_000
MEASURES = {"ruler": -1, "layout": 1, "thing": 1}  # and whether more is better
QUESTIONS = ("quality", "collapse", "diversity", "artifacts")
Ranking = Sequence[Sequence[str]]
Line = Mapping[str, Any]


def judged(run: Path, extractor: Extractor) -> dict[str, Any]:
    """One run's line."""
    subject = subject_of(run, SAMPLES, 1, checkpoint=None, raw=False, device="cpu", trust=False)
    reals = reals_of(subject, against=None, holdout=None, most=REAL, seed=0)
    generated = subject.generate()
    extractors = Extractors(extractor, catalog.build("features", "pixels", device="cpu"))
    sides = sides_of(reals.train, reals.holdout, generated.parts, extractors, cache=True)
    protocol = Protocol(
        metric="",
        features=str(extractor),
        real=reals.description,
        real_count=len(reals.train[0]),
        fake_count=SAMPLES,
        size="x".join(map(str, subject.shape)),
        averaging=generated.averaging,
    )
    audit = answer_all(evidence_of(sides, protocol, extractors, seed=0), questions=QUESTIONS)
    return {"run": run.name, "answers": answers_of(audit), "features": str(extractor), "code": code()}


def pairs(rankings: Sequence[Ranking]) -> Iterator[tuple[str, str]]:
    """(better, worse) of each pair on which all people agree."""
    places = [{name: place for place, equal in enumerate(ranking) for name in equal} for ranking in rankings]
    for one, other in combinations(sorted(places[0]), 2):
        orders = {(place[one] > place[other]) - (place[one] < place[other]) for place in places}
        if orders in ({-1}, {1}):
            yield (one, other) if orders == {-1} else (other, one)


def table(lines: Sequence[Line], eyes: Mapping[str, Sequence[Ranking]]) -> str:
    """Each run with its verdict and measures, in the order of the first person; then how often the measures agree."""
    newest = {line["run"]: line for line in lines}
    rows = ["| run | quality | ruler | layout seen | the thing seen |", "|---|---|---|---|---|"]
    for name, rankings in eyes.items():
        for run in (f"{name}-{run}" for equal in rankings[0] for run in equal):
            quality = newest[run]["answers"]["quality"]
            shares = (_value(newest[run], measure) for measure in MEASURES)
            cells = ["" if share is None else f"{share:.2f}" for share in shares]
            rows.append(f"| {run} | {quality['verdict']} | {' | '.join(cells)} |")
    agreed = [(f"{name}-{better}", f"{name}-{worse}") for name in eyes for better, worse in pairs(eyes[name])]
    for measure, sign in MEASURES.items():
        values = [(_value(newest[one], measure), _value(newest[other], measure)) for one, other in agreed]
        known = [
            (pair, sign * (a - b) > 0)
            for pair, (a, b) in zip(agreed, values, strict=True)
            if a is not None and b is not None
        ]
        wrong = ", ".join(f"{one} before {other}" for (one, other), right in known if not right)
        rows.append(
            f"\n{measure}: agrees in {sum(right for _, right in known)} of {len(known)} pairs"
            f"{'; not on ' + wrong if wrong else ''}."
        )
    return "\n".join(rows)


def _value(line: Line, measure: str) -> float | None:
    number = line["answers"]["quality"]["numbers"].get(measure)
    value: float | None = number[0] if isinstance(number, list) else number
    return value


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.judge.real_runs", description=__doc__)
    parser.add_argument("runs", type=Path, nargs="?", metavar="FOLDER")
    parser.add_argument("--weights")
    parser.add_argument("--size", type=int, default=112)
    parser.add_argument("--file", type=Path, default=FILE)
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table between the comments of this file")
    chosen = parser.parse_args()
    eyes: dict[str, list[Ranking]] = json.loads(EYES.read_text(encoding="utf-8"))
    if chosen.runs is not None:
        torch.set_num_threads(1)
        extractor = catalog.build("features", "mobilenet", weights=chosen.weights, device="cpu", size=chosen.size)
        done = {line["run"] for line in read(chosen.file) if line["code"] == code()}
        for name in (f"{name}-{run}" for name, rankings in eyes.items() for equal in rankings[0] for run in equal):
            if name not in done:
                line = judged(chosen.runs / name, extractor)
                with chosen.file.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
                print(name, line["answers"]["quality"]["verdict"], flush=True)
    text = table(read(chosen.file), eyes)
    print(text)
    if chosen.write is not None:
        write_between(chosen.write, text, begin=BEGIN, end=END)


if __name__ == "__main__":
    main()
