"""`benchmarks/device.sh` runs in a fresh environment without an index, and keeps what a broken part had measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from benchmarks.device import __main__ as driver
from benchmarks.device import captured, cases, compiled, fast, images, judge, needs, right, table, training
from benchmarks.device.part import Part
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]


# -- what is missing


def wheel(folder: Path, name: str, version: str, *requires: str, tag: str = "py3-none-any") -> Path:
    """A wheel of one module that holds its version."""
    path = folder / f"{name}-{version}-{tag}.whl"
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {name}",
        f"Version: {version}",
        *(f"Requires-Dist: {r}" for r in requires),
    ]
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", f"VERSION = {version!r}\n")
        archive.writestr(f"{info}/METADATA", "\n".join(lines) + "\n")
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def project(folder: Path, *dependencies: str) -> Path:
    file = folder / "pyproject.toml"
    file.write_text(f"[project]\ndependencies = {json.dumps(list(dependencies))}\n")
    return file


def test_what_is_missing_is_installed_from_the_wheels_with_what_it_needs(tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheel(wheels, "gs_first", "1.0")
    wheel(wheels, "gs_first", "1.5", "gs-second>=2", "gs-never; extra == 'more'", "numpy")
    wheel(wheels, "gs_first", "9.0", tag="cp27-none-any")
    wheel(wheels, "gs_second", "2.1")
    asked = project(tmp_path, "numpy>=1", "gs-first>=1.1")
    found = needs.provide(asked, wheels, tmp_path / "target")
    assert found["installed"] == ["gs_first-1.5-py3-none-any.whl", "gs_second-2.1-py3-none-any.whl"]
    assert found["missing"] == []
    assert any(name.startswith("numpy ") for name in found["present"])
    installed = {path.stem: path.read_text() for path in (tmp_path / "target").glob("*.py")}
    assert installed == {"gs_first": "VERSION = '1.5'\n", "gs_second": "VERSION = '2.1'\n"}


def test_what_is_nowhere_is_named_and_nothing_is_installed(tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheel(wheels, "gs_first", "1.0", "gs-third")
    found = needs.provide(project(tmp_path, "gs-first", "numpy>=999"), wheels, tmp_path / "target")
    assert found["missing"] == ["numpy>=999", "gs-third"]
    assert not (tmp_path / "target").exists()
    words = "\n".join(needs.words(found))
    assert "numpy>=999" in words
    assert "gs-third" in words
    assert "--wheels" in words


def test_without_wheels_everything_is_missing(tmp_path: Path) -> None:
    assert needs.best(Requirement("gs-first"), None) is None
    assert needs.provide(project(tmp_path, "gs-first"), None, tmp_path)["missing"] == ["gs-first"]


# -- parts that break


def scripted(monkeypatch: pytest.MonkeyPatch, out: Path, **scripts: str) -> tuple[int, dict[str, Any]]:
    """The driver with these parts, which are Python scripts; `keep(value)` writes a result down."""
    monkeypatch.setattr(driver, "PARTS", dict.fromkeys(scripts, 1))
    monkeypatch.setattr(driver, "_RESERVE", 0.0)

    def command(name: str, results: Path, chosen: Any, limit: float) -> list[str]:
        keep = f"def keep(value):\n open({str(results)!r}, 'w').write(__import__('json').dumps(value))\n"
        return [sys.executable, "-c", keep + scripts[name]]

    monkeypatch.setattr(driver, "command_of", command)
    status = driver.main(["--out", str(out), "--minutes", "0.1", "--parts", ",".join(scripts)])
    return status, json.loads((out / "device.json").read_text())


def test_a_part_that_breaks_or_is_cut_keeps_its_results_and_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    status, report = scripted(
        monkeypatch,
        tmp_path,
        crashes="keep({'a': 1}); import os; os.abort()",
        raises="keep({'b': 2}); raise ValueError('of this')",
        sleeps="keep({'c': 3, 'machine': {'device': 'x'}}); import time; time.sleep(60)",
        ends="keep({'d': 4}); print('said')",
    )
    assert status == 1
    parts = report["parts"]
    assert [part["results"] for part in parts.values()] == [{"a": 1}, {"b": 2}, {"c": 3}, {"d": 4}]
    assert [part["status"] for part in parts.values()] == ["failed (-6)", "failed (1)", "cut", "done"]
    assert parts["raises"]["last words"][-1] == "ValueError: of this"
    assert report["machine"]["device"] == "x"
    assert parts["sleeps"]["seconds"] < 50
    assert "said" in (tmp_path / "device.log").read_text()
    assert "sleeps: cut" in capfd.readouterr().out


def test_every_part_that_ends_is_a_success(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    status, report = scripted(monkeypatch, tmp_path, one="", other="keep({})")
    assert status == 0
    assert report["version"] == 1


@pytest.mark.parametrize("options", [["--parts", "fats"], ["--data", "/nowhere/at all.npy"]])
def test_wrong_options_end_before_anything_is_done(options: list[str], tmp_path: Path, capsys: Any) -> None:
    with pytest.raises(SystemExit):
        driver.main(["--out", str(tmp_path / "out"), *options])
    said = capsys.readouterr().err
    assert options[1] in said
    assert not (tmp_path / "out").exists()


# -- the table


def test_the_committed_section_is_the_one_that_the_committed_figures_make() -> None:
    text = (ROOT / "docs" / "speed.md").read_text()
    written = text.partition(f"{table.BEGIN}\n")[2].partition(f"\n{table.END}")[0]
    assert written == table.section()


def test_without_figures_the_section_says_so(tmp_path: Path) -> None:
    assert table.section(tmp_path / "none.json").startswith("Not measured yet")


def test_the_section_tells_every_part_and_what_did_not_end() -> None:
    loop = {"ms": [2.0, 1.5, 2.5], "rounds": 3, "times as fast": 1.25}
    steps = {"authors": {**loop, "times as fast": 1.0}, "ours": loop}
    results: dict[str, Any] = {
        "right": {
            "outcomes": {"passed": 1, "failed": 1},
            "tests": {
                "losses: float32_agrees[x]": {"outcome": "passed", "d: loss": 3e-6, "d: gradient": 4e-5},
                "losses: float32_agrees[y]": {"outcome": "failed", "d: loss": 1e-6, "d: gradient": 5e-5},
            },
        },
        "fast": {
            "peak": {"bfloat16": {"matmul": 7e14}},
            "A step": {"images": 64, "steps": steps, "share of peak": 0.004, "losses apart": {"ours": 0.0071}},
            "errors": {"Another": ["Traceback", "ValueError: no"]},
        },
        "captured": {"A game": {"losses apart, by step": [0.0, 0.002], "steps": {"engine": loop, "captured": loop}}},
    }
    report = {
        "date": "2026-01-02",
        "machine": {"device": "a card", "torch": "2.11"},
        "parts": {name: {"status": "cut" if name == "fast" else "done", "results": r} for name, r in results.items()},
    }
    text = table.markdown(report)
    for fact in ("2026-01-02", "a card", "fast (cut)", "1 failed, 1 passed", "3.0e-06", "5.0e-05", "float32_agrees[y]"):
        assert fact in text
    assert "| A step | authors | 2.00 | 1.50 | 2.50 | 32,000 | 1.00 |  |" in text
    assert "|  | ours (0.4% of the peak) | 2.00 | 1.50 | 2.50 | 32,000 | 1.25 | 0.71% |" in text
    assert "| A game | 2.00 | 2.00 | 1.25 | 2.0e-03 |" in text
    assert "ValueError: no" in text
    assert "700 TFLOP/s" in text


# -- all of it


def environment_without(package: str, folder: Path) -> tuple[Path, Path]:
    """(interpreter, wheels): a fresh environment with everything installed here but `package`, and a wheel of that."""
    subprocess.run([sys.executable, "-m", "venv", folder / "fresh"], check=True)
    python = folder / "fresh" / "bin" / "python"
    name = package.replace("-", "_")
    links = folder / "links"
    links.mkdir()
    homes = {Path(str(metadata.distribution(other).locate_file(""))) for other in (package, "torch", "pytest")}
    for home in homes:
        for path in home.iterdir():
            if not path.name.startswith((f"{name}-", f"{name}.", "gansmith", "__editable__")) and path.name != name:
                (links / path.name).symlink_to(path)
    (site,) = (folder / "fresh" / "lib").glob("python*/site-packages")
    (site / "here.pth").write_text(f"{links}\n")
    wheels = folder / "wheels"
    wheels.mkdir()
    installed = metadata.distribution(package)
    with zipfile.ZipFile(wheels / f"{name}-{installed.version}-py3-none-any.whl", "w") as archive:
        for file in installed.files or []:
            if file.parts[0].startswith(name) and "__pycache__" not in file.parts and file.name != "RECORD":
                archive.write(str(file.locate()), str(file))
        archive.writestr(f"{name}-{installed.version}.dist-info/RECORD", "")
    return python, wheels


@pytest.mark.prove
def test_the_script_runs_in_a_fresh_environment_without_an_index(tmp_path: Path) -> None:
    python, wheels = environment_without("filelock", tmp_path)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "PYTHON", "GANSMITH_"))}
    environment = {**kept, "PYTHON": str(python), "PIP_NO_INDEX": "1", "OMP_NUM_THREADS": "1"}
    script = ROOT / "benchmarks" / "device.sh"
    given = ["--device", "cpu", "--quick", "--out", "out", "--minutes", "6", "--parts", "right"]
    lacking = subprocess.run(
        [script, *given], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert lacking.returncode == 1
    assert "filelock" in lacking.stdout.partition("missing")[2]
    assert json.loads((tmp_path / "out" / "device.json").read_text())["parts"] == {}

    done = subprocess.run(
        [script, *given, "--wheels", wheels], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    report = json.loads((tmp_path / "out" / "device.json").read_text())
    assert done.returncode == 0, done.stdout + done.stderr
    assert [name.partition("-")[0] for name in report["packages"]["installed"]] == ["filelock"]
    right = report["parts"]["right"]["results"]
    assert right["outcomes"]["passed"] >= 8
    assert "failed" not in right["outcomes"]
    assert "errors" not in right
    assert "Right?" in done.stdout


@pytest.fixture
def part(tmp_path: Path) -> Iterator[Part]:
    """On the CPU at toy size; what a part sets for its whole process is set back."""
    cudnn = torch.backends.cudnn
    before = cudnn.benchmark, cudnn.deterministic, torch.get_num_threads()
    yield Part(tmp_path / "results.json", 300.0, torch.device("cpu"), tmp_path, quick=True)
    cudnn.benchmark, cudnn.deterministic = before[:2]
    torch.set_num_threads(before[2])


def results(part: Part) -> dict[str, Any]:
    """As they lie in the file, free of errors, and told by the section."""
    written: dict[str, Any] = json.loads(part.results.read_text())
    assert "errors" not in written
    return written


def told(name: str, written: dict[str, Any]) -> str:
    return table.markdown({"parts": {name: {"status": "done", "results": written}}})


def test_fast_has_every_loop_of_every_case(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    toys = {name: cases.TOYS[name] for name in ("DCGAN, toy", "CycleGAN, toy")}  # `captured` builds the others
    monkeypatch.setattr(fast, "TOYS", toys)
    fast.measure(part)
    written = results(part)
    assert {*written} == {"peak", *toys, "grouped convolutions"}
    for name, build in toys.items():
        case = build(part.device)
        assert {*written[name]["steps"]} == {*case.loops, *case.more, *cases.TRIED, *cases.FREE}
        assert written[name]["losses agree"]
        assert 0 < written[name]["share of peak"] < 1
        assert f"| {name} | authors |" in told("fast", written)


def test_captured_is_the_engine_where_nothing_is_captured(part: Part) -> None:
    captured.measure(part)
    written = results(part)
    for case in ("DCGAN", "WGAN-GP", "R3GAN", "CycleGAN"):
        assert max(written[case]["losses apart, by step"]) == 0
        assert f"| {case} |" in told("captured", written)


def test_what_takes_too_long_to_compile_still_tells_its_eager_step() -> None:
    eager = {"ms": [2.0, 1.5, 2.5], "rounds": 3, "times as fast": 1.0}
    case = {"steps": {"eager": eager}, "seconds to compile": None, "seconds left": 31}
    assert "| A step | 2.00 | - | - | more than 31 |" in told("compiled", {"A step": case})


@pytest.mark.filterwarnings("default")  # torch's compiler warns of itself
def test_compiled_computes_what_the_eager_step_does(part: Part) -> None:
    compiled.measure(part)
    written = results(part)
    assert written
    assert all(case["losses apart"] < 0.1 and {*case["steps"]} == {"eager", "compiled"} for case in written.values())


def test_the_judge_compares_two_halves_without_common_images(part: Part) -> None:
    judge.measure(part)
    written = results(part)
    assert written["KID"]["images a side"] == 48
    assert len(written["KID"]["KID x 1000"]) == 3
    one, other = images.halves(part)
    assert not {image.tobytes() for image in one} & {image.tobytes() for image in other}
    assert "two random halves" in told("judge", written)


def test_samples_of_a_file_sorted_by_class_hold_every_class(part: Part, tmp_path: Path) -> None:
    shades = np.repeat(np.arange(10, dtype=np.uint8) * 25, 100)
    noise = np.random.default_rng(0).integers(0, 5, (1000, 32, 32, 3), dtype=np.uint8)
    part.data, part.quick = tmp_path / "sorted.npy", False
    np.save(part.data, shades[:, None, None, None] + noise)
    for side in (*images.halves(part), *images.held_and_others(part)):
        counts = np.unique(side.mean((1, 2, 3)) // 25, return_counts=True)[1]
        assert len(counts) == 10
        assert counts.max() < 3 * counts.min()


def test_training_leaves_a_sheet_and_distances(part: Part) -> None:
    training.measure(part)
    written = results(part)
    assert written["training"]["images"] >= 512
    assert len(written["KID"]["samples"]) == 3
    assert (part.out / "sheet.png").is_file()
    assert "held-out images" in told("training", written)


def test_essential_tests_come_first_and_killed_runs_before_the_rest() -> None:
    names = ["bfloat16_is_near[x]", "a_killed_run_resumes_exactly[float32]", "float32_agrees[x]", "anything_else"]
    names += ["two_runs_are_equal_to_the_bit[x]", "a_killed_run_resumes_exactly[auto]", "steps_wait_for_nothing"]
    assert [names.index(name) for name in sorted(names, key=right.place)] == [6, 4, 2, 3, 5, 0, 1]
