"""The tutorials run as written, each in a fresh process and an empty folder, and what their text says holds.

A slow proof (`make prove`): each takes about a minute of one core.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

FOLDER = Path(__file__).parents[1] / "docs" / "tutorials"
TUTORIALS = sorted(path.stem for path in FOLDER.glob("[0-9]*.md"))
LIMIT = 900  # seconds, on a machine that does other things too
OPTION = re.compile(r"\A(?::[^\n]*\n)+\n?")
RUNNER = """
import json, pathlib, sys, warnings
warnings.simplefilter("error")
warnings.filterwarnings("ignore", "`torch.jit.", DeprecationWarning)  # torch itself
names = {"__name__": "__main__"}
cells = json.loads(pathlib.Path(sys.argv[1]).read_text())
for number, cell in enumerate(cells, 1):
    exec(compile(cell, f"cell {number}", "exec"), names)
facts = eval(sys.argv[2], names)
pathlib.Path("facts.json").write_text(json.dumps(facts, default=float))
"""


def cells(name: str) -> list[str]:
    """The code of a tutorial, without the options of its cells."""
    found = re.findall(r"^```\{code-cell\} python\n(.*?)^```", (FOLDER / f"{name}.md").read_text(), re.M | re.S)
    return [OPTION.sub("", cell) for cell in found]


# {tutorial: an expression of the names that its cells leave, whose value is checked below}
FACTS = {
    "1_gradients": "{'slope': second, 'lbfgs': results['lbfgs'].evaluations, 'adam': results['adam'].evaluations, "
    "'sgd': results['sgd'].converged, 'error': (result.x - secret).abs().max()}",
    "2_first_gan": "{'good': good_audit.record(), 'broken': broken_audit.record(), 'words': list(near.words), "
    "'health': [good.records[-1]['health'], broken.records[-1]['health']], "
    "'spread': [good.records[-1]['spread'], broken.records[-1]['spread']], "
    "'accuracy': [r['discriminator/accuracy'] for r in broken.records]}",
    "3_features": "{'same': [by['pixels'][1], by['features'][1]], 'probe': report.record(), 'robust': robust, "
    "'error': classifier.records[-1]['classifier/error']}",
    "4_translation": "{'l1': {way: [n['l1'].low, n['l1'].value, n['l1'].high] for way, n in likeness.numbers.items()}, "
    "'pairs': likeness.pairs, 'made': list(made.shape)}",
    "5_own_image": "{'loss': result.loss, 'random': result.random_loss, 'reached': result.reached, "
    "'auc': {d.name: d.auc for d in run.directions if d.method == 'labels'}, 'words': list(near.words), "
    "'frames': frames}",
    "6_several_processes": "{'status': [alone, together, resumed], 'apart': apart, "
    "'slow': last['ranks/slowest_times'], 'losses': [[run.records[0]['generator/loss'] for run in (one, two)]]}",
}


def gradients(facts: dict[str, Any], folder: Path, said: str) -> None:
    assert "value 5.81, gradient 1\n" in said
    assert "value 3.0212327832711, gradient 0.86320936664887\n" in said
    assert "value 3.61, gradient 1\n" in said
    assert "value 33.468522197289, gradient 9.5624349135111\n" in said
    assert "NoDependencyError" in said
    assert "LostGraphError" in said
    assert facts["slope"] == 12.0
    assert facts["lbfgs"] < 100 < facts["adam"] < 2000
    assert not facts["sgd"]
    assert facts["error"] < 1e-4


def first_gan(facts: dict[str, Any], folder: Path, said: str) -> None:
    assert facts["good"]["collapse"]["verdict"] == "good"
    assert facts["good"]["quality"]["verdict"] == "good"
    assert facts["broken"]["collapse"]["verdict"] == "bad"
    assert facts["broken"]["quality"]["verdict"] == "bad"
    assert facts["words"] == ["no copy"] * 6
    assert "collapsing" not in facts["health"][0]
    assert "collapsing" in facts["health"][1]
    assert facts["spread"][0] > 0.8
    assert facts["spread"][1] < 0.25


def features(facts: dict[str, Any], folder: Path, said: str) -> None:
    assert facts["error"] < 0.06
    assert abs(facts["same"][0] - facts["same"][1]) < 0.02
    accuracy = facts["probe"]["features"]["value"]
    assert accuracy > 0.93
    low, high = facts["probe"]["gains"]["random network"]["interval"]
    assert low < 0 < high
    pixels, seen = facts["robust"]["at 40 % brightness"]
    assert seen < pixels
    assert facts["probe"]["gains"]["pooled pixels"]["interval"][0] > 0


def translation(facts: dict[str, Any], folder: Path, said: str) -> None:
    ways = facts["l1"]
    assert facts["pairs"] > 500
    assert ways["cut"][2] < ways["colour transfer"][0] < ways["untouched"][0]
    assert facts["made"] == [32, 32, 1]


def own_image(facts: dict[str, Any], folder: Path, said: str) -> None:
    assert facts["loss"] < 0.6 * facts["random"]
    assert facts["reached"]
    assert facts["auc"]["class_9"] > 0.7
    assert facts["words"] == ["no copy"]
    assert facts["frames"] > 20
    for name in ("edited.png", "by-command.png", "by-command-strip.png", "runs/digits/directions/pca.png"):
        with Image.open(folder / name) as image:
            assert min(image.size) >= 16, name


def several_processes(facts: dict[str, Any], folder: Path, said: str) -> None:
    assert facts["status"] == [0, 0, 0]
    assert 0 < facts["apart"] < 0.1
    assert facts["slow"] >= 1
    first, second = facts["losses"][0]
    assert abs(first - second) < 0.01 * first
    assert "not exactly" in said
    assert "7680 images" in said


CHECKS: dict[str, Callable[[dict[str, Any], Path, str], None]] = {
    "1_gradients": gradients,
    "2_first_gan": first_gan,
    "3_features": features,
    "4_translation": translation,
    "5_own_image": own_image,
    "6_several_processes": several_processes,
}


def test_every_tutorial_is_checked() -> None:
    assert TUTORIALS == sorted(CHECKS) == sorted(FACTS)
    for name in TUTORIALS:
        text = (FOLDER / f"{name}.md").read_text()
        assert text.count("{code-cell}") == len(cells(name)) >= 5, name
        assert not re.search(r"^[!%]", "\n".join(cells(name)), re.M), f"{name}: plain Python only"
        for number, cell in enumerate(cells(name), 1):
            compile(cell, f"{name}, cell {number}", "exec")


@pytest.mark.prove
@pytest.mark.timeout(LIMIT + 60)
@pytest.mark.parametrize("name", TUTORIALS)
def test_a_tutorial_runs_and_its_text_holds(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "cells.json").write_text(json.dumps(cells(name)))
    done = subprocess.run(
        [sys.executable, "-c", RUNNER, str(tmp_path / "cells.json"), FACTS[name]],
        cwd=tmp_path / "empty",
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    facts = json.loads((tmp_path / "empty" / "facts.json").read_text())
    CHECKS[name](facts, tmp_path / "empty", done.stdout)
