"""Nothing of a user's breaks: runs that earlier code began are continued by today's, to the bit.

Each run in runs/ was begun by the commit that make_old_runs.py names and is resumed here to its end. Its weights,
optimizers and everything else of its checkpoint, its images before and after, its records and its caches are then those
that the same commit ended with: to the bit where torch, its instructions and the arithmetic of this processor are the
recorded ones. Elsewhere float32 rounds otherwise, by 6e-8 a number, and some ten steps carry that on. The differences
were measured with AVX-512, AVX2 and neither, in torch, oneDNN and MKL; the tolerances are three times the largest.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import make_old_runs
import old_arithmetic
import old_facts
import pytest
from old_settings import SETTINGS, write_domains

from gansmith.evaluation.damages import LAYOUT, TEXTURE

OF_MOVED = 0.05  # weights: of the distance that they were moved by the resumed training (seen: 0.016)
OF_NORM = 0.02  # optimizers' averages, pools, averages of scores (seen: 0.003)
LEVELS = 0.25  # images: root mean square over all pixels, of 255 levels (seen: 0.08)
RECORDS = {"rel": 0.02, "abs": 0.01}  # losses, scores, metrics (seen: 0.003)
COUNTED = ("accuracy", "held_real", "error", "top5_error", "class_error", "told_apart")  # jump by one image

RECORDED: dict[str, Any] = json.loads((make_old_runs.HERE / "facts.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def exact() -> bool:
    """Is arithmetic here the recorded one?"""
    here = make_old_runs.machine(RECORDED["shapes"])
    return all(here[name] == RECORDED["machine"][name] for name in ("torch", "capability", "arithmetic"))


@pytest.fixture(scope="module")
def domains(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("old") / "domains"
    write_domains(folder)
    return folder


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of its own, whose keys are those of the recorded Pillow: they change with its major version."""
    monkeypatch.setenv("GANSMITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("PIL.__version__", RECORDED["machine"]["pillow"])


@pytest.mark.parametrize("name", SETTINGS)
def test_an_old_run_resumes_to_the_same_end(name: str, tmp_path: Path, domains: Path, exact: bool) -> None:
    run, then = tmp_path / name, RECORDED["runs"][name]
    shutil.copytree(make_old_runs.HERE / "runs" / name, run)
    now = json.loads(json.dumps(old_facts.facts_of(run, domains, images=make_old_runs.longer(name))))
    for same in ("resumed at", "checkpoint", "clock", "cache"):
        assert now[same] == then[same], same
    for player, card in then["cards"].items():
        assert_holds(now["cards"][player], card)
    for section, facts in then["sections"].items():
        assert_section(section, now["sections"][section], facts, exact)
    for moment in ("images before", "images after"):
        assert_images(now[moment], then[moment], exact)
    for record, facts in zip(now["records"], then["records"], strict=True):
        assert_record(record, facts, exact)


@pytest.mark.parametrize("name", [name for name in SETTINGS if name.endswith(make_old_runs.ENDED)])
def test_an_old_run_begun_anew_ends_the_same(name: str, tmp_path: Path, domains: Path, exact: bool) -> None:
    """The same settings and seed: the same networks at first, the same order of images, the same end."""
    make_old_runs.begin(name, tmp_path / name, domains)
    now, then = (old_facts.checkpoint(folder / name) for folder in (tmp_path, make_old_runs.HERE / "runs"))
    now, then = (old_facts.sections_of(state, state) for state in (now, then))
    for section, facts in then.items():
        if exact:
            assert now[section]["sha256"] == facts["sha256"], section
        assert old_arithmetic.distance(now[section]["sums"], facts["sums"]) <= OF_NORM * facts["norm"], section


def test_old_caches_are_hit(tmp_path: Path) -> None:
    """Judging old runs reads the pixels and features that judging them left behind, and computes none of them anew."""
    cache = tmp_path / "cache"
    shutil.copytree(make_old_runs.HERE / "cache", cache)
    before = {path: path.stat().st_ino for path in cache.rglob("*") if path.is_file()}
    kept = {path: path.read_bytes() for path in before}
    make_old_runs.judge(make_old_runs.HERE / "runs", tmp_path)
    there = {path.relative_to(cache).as_posix() for path in before}
    assert there == set(RECORDED["judged"])
    made_anew = set(old_facts.cached()) - there
    assert all(name.startswith("features/") for name in made_anew)
    assert len(made_anew) == len(LAYOUT) + len(TEXTURE)  # the ruler's, which those versions did not have
    assert {path: path.stat().st_ino for path in before} == before
    assert {path: path.read_bytes() for path in before} == kept


def test_an_old_translation_is_judged(tmp_path: Path, domains: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(make_old_runs.HERE / "runs" / "paired_ended", run)
    described = (run / "experiment.yaml").read_text(encoding="utf-8")
    there = next(line for line in described.splitlines() if line.startswith("  path: "))
    (run / "experiment.yaml").write_text(described.replace(there, f"  path: {domains}"), encoding="utf-8")
    old_facts.command("evaluate", run)
    assert json.loads((run / "audit" / "true_pairs.json").read_text())["pairs"] == 6


def assert_section(name: str, now: dict[str, Any], then: dict[str, Any], exact: bool) -> None:
    assert_holds(now["others"], then["others"])
    if exact:
        assert now["sha256"] == then["sha256"], name
    tolerance = OF_MOVED * then["moved"] if name.startswith(("players", "averaging")) else OF_NORM * then["norm"]
    assert now["count"] == then["count"], name
    assert old_arithmetic.distance(now["sums"], then["sums"]) <= tolerance, name
    assert now["norm"] == pytest.approx(then["norm"], abs=tolerance), name
    assert now["mean"] == pytest.approx(then["mean"], abs=tolerance), name


def assert_images(now: dict[str, Any], then: dict[str, Any], exact: bool) -> None:
    if not then:  # a classifier's
        assert not now
        return
    assert now["shape"] == then["shape"]
    if exact:
        assert now["sha256"] == then["sha256"]
    assert old_arithmetic.distance(now["sums"], then["sums"]) <= LEVELS * then["count"] ** 0.5
    assert now["mean"] == pytest.approx(then["mean"], abs=LEVELS)


def assert_record(now: dict[str, Any], then: dict[str, Any], exact: bool) -> None:
    assert now.keys() >= then.keys()
    for name, value in then.items():
        if exact or not isinstance(value, float):
            assert now[name] == value, name
        elif name.rpartition("/")[2] not in COUNTED:
            assert now[name] == pytest.approx(value, **RECORDS), name


def assert_holds(now: Any, then: Any) -> None:
    """Everything that was there is there, and equal; more may be, as options that are newer."""
    if isinstance(then, dict):
        assert now.keys() >= then.keys()
        for key, value in then.items():
            assert_holds(now[key], value)
    else:
        assert now == then
