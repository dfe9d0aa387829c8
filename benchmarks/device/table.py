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
        yield f"**Fast?** The card's measured peak: {said}. A step, in interleaved rounds:"
    rows = [["step", "loop", "ms", "least", "most", "images/s", "times the authors'"]]
    for case, found in results.items():
        if not isinstance(found, Mapping) or "images" not in found or "steps" not in found:
            continue
        for name, loop in found["steps"].items():
            middle, low, high = loop["ms"]
            rate = f"{found['images'] / middle * 1e3:,.0f}"
            share = f" ({found['share of peak']:.0%} of the peak)" if name == "ours" else ""
            what = case if name == "authors" else ""
            what += "" if found.get("losses agree", True) or name != "authors" else " (losses differ!)"
            factor = f"{loop['times as fast']:.2f}"
            rows.append([what, name + share, f"{middle:.2f}", f"{low:.2f}", f"{high:.2f}", rate, factor])
    if len(rows) > 1:
        yield _table(rows, right=range(2, 7))
    grouped = results.get("grouped convolutions", {})
    if grouped:
        rows = [["3 x 3 convolution of 1,536 channels in groups of 16", "forwards, ms", "and back, ms"]]
        rows += [[name, *(f"{value:.3f}" for value in values)] for name, values in grouped.items()]
        yield _table(rows, right=(1, 2))


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
    for case, found in results.items():
        if isinstance(found, Mapping) and "compiled" in found.get("steps", {}):
            loops = found["steps"]
            times = [f"{loops[name]['ms'][0]:.2f}" for name in ("eager", "compiled")]
            compiling = f"{found['seconds to compile']:.0f}"
            rows.append([case, *times, f"{loops['compiled']['times as fast']:.2f}", compiling])
    if len(rows) > 1:
        yield _table(rows, right=range(1, 5))


def _judge(results: Mapping[str, Any]) -> Iterable[str]:
    rates = ", ".join(f"{name} {rate:,.0f}" for name, rate in results.get("features per second", {}).items())
    yield f"**Judge.** Features per second: {rates or 'none'}."
    found = results.get("KID")
    if found:
        yield (
            f"KID of {found['images a side']:,} images a side takes {found['seconds for the distance']} s beside "
            f"{found['seconds for features of both']} s for the features of both."
        )


def _training(results: Mapping[str, Any]) -> Iterable[str]:
    found = results.get("training")
    if not found:
        return
    yield (
        f"**Training.** {found['recipe']}: {found['images']:,} images in {found['seconds']:.0f} s "
        f"({found['images per second']:,.0f} images/s, {found['precision']})."
    )
    kid = results.get("KID", {})
    if "samples" in kid:
        real, made = ("{:,} ({:,} to {:,})".format(*kid[name]) for name in ("real", "samples"))
        yield (
            f"KID x 1000 between {kid['images a side']:,} held-out images and as many others ({kid['weights']} weights "
            f"of MobileNetV2): real {real}, samples {made}."
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
