"""The section "On a GPU" out of a device.json: `python -m benchmarks.device.table --write docs/speed.md`.

Without a file beside this one it says that nothing was measured yet.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- device: begin -->", "<!-- device: end -->"
STORED = Path(__file__).with_name("device.json")
_NOTHING = "Not measured yet: `benchmarks/device.sh` has not run on a GPU."
_FACTS = ("device", "memory", "processor", "cores", "python", "torch", "CUDA", "cuDNN", "gansmith", "commit")


def section(file: Path = STORED) -> str:
    """What stands between the two comments."""
    return markdown(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else _NOTHING


def markdown(report: Mapping[str, Any]) -> str:
    """The facts, then what each part measured; a part that is missing or was cut says so."""
    parts: Mapping[str, Any] = report.get("parts", {})
    facts: Mapping[str, Any] = report.get("machine", {})
    known = ", ".join(f"{name} {facts[name]}" for name in _FACTS if name in facts)
    blocks = [f"Measured on {report.get('date', '?')}: {known}."]
    unfinished = [f"{name} ({part['status']})" for name, part in parts.items() if part.get("status") != "done"]
    if unfinished:
        blocks.append(f"Not to its end: {', '.join(unfinished)}.")
    makers = {
        "right": _right,
        "fast": _fast,
        "captured": _captured,
        "compiled": _compiled,
        "judge": _judge,
        "training": _training,
    }
    for name, make in makers.items():
        results = parts.get(name, {}).get("results", {})
        if results:
            blocks += [*make(results), *_errors(results)]
    return "\n\n".join(blocks)


def _right(results: Mapping[str, Any]) -> Iterable[str]:
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in sorted(results.get("outcomes", {}).items()))
    yield f"**Right?** Tests marked `cuda`: {outcomes or 'none'}."
    tests: Mapping[str, Mapping[str, Any]] = results.get("tests", {})
    for kind in ("float32_agrees", "bfloat16_is_near"):
        far = {
            what: max(
                (value for name, test in tests.items() if kind in name for key, value in test.items() if what in key),
                default=None,
            )
            for what in ("loss", "gradient")
        }
        if None not in far.values():
            against = "the CPU in float64" if kind == "float32_agrees" else "float32"
            yield (
                f"{kind.partition('_')[0]} against {against}: losses differ by at most {far['loss']:.1e}, "
                f"gradients by {far['gradient']:.1e} (relative)."
            )
    failed = [name for name, test in tests.items() if test["outcome"] == "failed"]
    if failed:
        yield f"Failed: {'; '.join(f'`{name}`' for name in failed)}."


def _fast(results: Mapping[str, Any]) -> Iterable[str]:
    peak = results.get("peak", {})
    if peak:
        said = ", ".join(f"{name} {max(rates.values()) / 1e12:,.3g} TFLOP/s" for name, rates in peak.items())
        yield (
            f"**Fast?** The device's measured peak: {said}. A step, in interleaved rounds. `authors`: their order of "
            "work in plain PyTorch, float32 with TF32 convolutions (R3GAN: bfloat16). `ours`: the engine, bfloat16 and "
            "deterministic kernels. `by hand`: a plain loop with all of the engine's care. `not reproducible`: "
            "`reproducible: false`, which selects kernels by trying. `losses apart`: of the first two steps, from the "
            "authors', relative to the largest; TF32 keeps 10 bits, bfloat16 7."
        )
    cases = {
        name: case for name, case in results.items() if isinstance(case, Mapping) and "images" in case and case["steps"]
    }
    rows = [["step", "loop", "ms", "least", "most", "images/s", "times the authors'", "losses apart"]]
    for name, case in cases.items():
        for number, (loop_name, loop) in enumerate(case["steps"].items()):
            middle, low, high = loop["ms"]
            rate = f"{case['images'] / middle * 1e3:,.0f}"
            share = (
                f" ({case['share of peak']:.1%} of the peak)" if loop_name == "ours" and "share of peak" in case else ""
            )
            what = "" if number else name
            far = case.get("losses apart", {}).get(loop_name)
            apart = "" if far is None else f"{far:.2%}"
            factor = f"{loop['times as fast']:.2f}"
            rows.append([what, loop_name + share, f"{middle:.2f}", f"{low:.2f}", f"{high:.2f}", rate, factor, apart])
    if len(rows) > 1:
        yield _table(rows, right=range(2, 8))
    yield from _autocast(cases)
    trying = [
        f"{name} {case['seconds to build']['ours, not reproducible']:.0f} s"
        for name, case in cases.items()
        if "ours, not reproducible" in case.get("seconds to build", {})
    ]
    if trying:
        yield f"Trying the kernels takes, once at the start: {'; '.join(trying)}."
    grouped = results.get("grouped convolutions", {})
    if grouped:
        rows = [["3 x 3 convolution of 1,536 channels in groups of 16", "forwards, ms", "and back, ms"]]
        rows += [[name, *(f"{value:.3f}" for value in values)] for name, values in grouped.items()]
        yield _table(rows, right=(1, 2))


def _autocast(cases: Mapping[str, Any]) -> Iterable[str]:
    """What the number format costs or gains, in so many words."""
    ratios = {
        name: case["steps"]["ours, float32"]["ms"][0] / case["steps"]["ours"]["ms"][0]
        for name, case in cases.items()
        if {"ours", "ours, float32"} <= {*case["steps"]}
    }
    for words, chosen in (
        ("bfloat16 is faster than float32 with TF32", {n: r for n, r in ratios.items() if r > 1.03}),
        (
            "bfloat16 is **slower** than float32 with TF32 (`precision: float32` is faster there): autocast launches "
            "a cast for every weight, and steps this short wait for launches, not for arithmetic",
            {n: 1 / r for n, r in ratios.items() if r < 1 / 1.03},
        ),
        ("both take the same time", {n: r for n, r in ratios.items() if 1 / 1.03 <= r <= 1.03}),
    ):
        if chosen:
            factors = "; ".join(f"{name} ({ratio:.2f} times)" for name, ratio in chosen.items())
            yield f"In our engine {words}: {factors}."


def _captured(results: Mapping[str, Any]) -> Iterable[str]:
    rows = [["whole step as one CUDA graph", "engine, ms", "graph, ms", "times the engine's", "losses apart"]]
    for case, found in results.items():
        if isinstance(found, Mapping) and "captured" in found.get("steps", {}):
            loops = found["steps"]
            far = max(found["losses apart, by step"])
            times = [f"{loops[name]['ms'][0]:.2f}" for name in ("engine", "captured")]
            rows.append([case, *times, f"{loops['captured']['times as fast']:.2f}", f"{far:.1e}"])
    if len(rows) > 1:
        yield _table(rows, right=range(1, 5))


def _compiled(results: Mapping[str, Any]) -> Iterable[str]:
    rows = [["torch.compile", "eager, ms", "compiled, ms", "times as fast", "seconds to compile"]]
    for case, values in results.items():
        if not isinstance(values, Mapping) or "steps" not in values:
            continue
        loops, compiling = values["steps"], values["seconds to compile"]
        took = f"more than {values['seconds left']}" if compiling is None else f"{compiling:.0f}"
        both = loops.get("compiled")
        ms, factor = ("-", "-") if both is None else (f"{both['ms'][0]:.2f}", f"{both['times as fast']:.2f}")
        rows.append([case, f"{loops['eager']['ms'][0]:.2f}", ms, factor, took])
    if len(rows) > 1:
        yield _table(rows, right=range(1, 5))


def _judge(results: Mapping[str, Any]) -> Iterable[str]:
    rates = ", ".join(f"{name} {rate:,.0f}" for name, rate in results.get("features per second", {}).items())
    yield f"**Judge.** Features per second: {rates or 'none'}."
    kid = results.get("KID")
    if kid:
        middle, low, high = kid["KID x 1000"]
        yield (
            f"KID of {kid['images a side']:,} images a side takes {kid['seconds for the distance']:.1f} s beside "
            f"{kid['seconds for features of both']:.1f} s for the features of both; x 1000 between two random "
            f"halves of the real images ({kid['weights']} weights) it is {middle:.2f} ({low:.2f} to {high:.2f})."
        )


def _training(results: Mapping[str, Any]) -> Iterable[str]:
    told = results.get("training")
    if not told:
        return
    yield (
        f"**Training.** {told['recipe']}: {told['images']:,} images in {told['seconds']:.0f} s "
        f"({told['images per second']:,.0f} images/s, {told['precision']})."
    )
    kid = results.get("KID", {})
    if "samples" in kid:
        real, samples = ("{:,} ({:,} to {:,})".format(*kid[name]) for name in ("real", "samples"))
        yield (
            f"KID x 1000 between {kid['images a side']:,} held-out images and as many others ({kid['weights']} weights "
            f"of MobileNetV2): real images {real}, samples {samples}."
        )


def _errors(results: Mapping[str, Any]) -> Iterable[str]:
    for name, lines in results.get("errors", {}).items():
        yield f"Error in {name}: `{lines[-1][:300] if lines else ''}`"


def _table(rows: Sequence[Sequence[str]], *, right: Iterable[int]) -> str:
    head, *body = rows
    marks = ["---:" if column in right else "---" for column in range(len(head))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, marks, *body))


def main() -> None:
    from benchmarks.report import write_between

    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("file", type=Path, nargs="?", default=STORED)
    parser.add_argument("--write", type=Path, metavar="FILE", help="put it between the comments of this file")
    chosen = parser.parse_args()
    text = section(chosen.file)
    if chosen.write is None:
        print(text)
    else:
        write_between(chosen.write, text, begin=BEGIN, end=END)


if __name__ == "__main__":
    main()
