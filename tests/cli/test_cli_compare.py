"""gansmith compare."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image
from typer.testing import Result

import gansmith
from gansmith.cli.compare import compare, ranking, write
from gansmith.errors import NotFiniteError, OptionError, OutputError, RunError, UnknownNameError
from gansmith.evaluation.cross_play import CrossPlay, Pair, Standing
from gansmith.evaluation.types import Number
from gansmith.models import saved
from gansmith.system.seeding import seeded
from small import SMALL

Command = Callable[..., Result]


@pytest.fixture
def several(models: Path, tmp_path: Path) -> list[Path]:
    """The folder of models, and two of the same kind with other weights; one has square brackets in its name."""
    folders = [models]
    for name in ("second", "third[x]"):
        players = {}
        for player in ("generator", "discriminator"):
            card = saved.read_card(models / f"{player}.safetensors")
            with seeded(name, player):
                players[player] = (card, card.build().state_dict())
        saved.save(tmp_path / name, players)
        folders.append(tmp_path / name)
    return folders


def test_a_comparison(
    run_command: Command, several: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    given = ("--against", "digits", "--samples", 12, "--device", "cpu", "--out", out, "--metrics", "kid, spectrum")
    monkeypatch.setenv("COLUMNS", "100")
    result = run_command(compare, *several, *given)
    assert result.exit_code == 0, result.exception
    record = json.loads((out / "compare.json").read_text())
    assert record["compared"] == ["model", "second", "third[x]"]
    assert set(record["metrics"]) == {"kid", "spectrum"}
    assert record["protocol"]["fake_count"] == 12
    with Image.open(out / "compare.png") as picture:
        assert picture.size[0] > 300
    text = result.stdout
    first = record["ranking"][0]
    low, high = first["told_apart"]["interval"]
    assert f"1. {first['name']}  {first['told_apart']['value']:.3f} ({low:.3f} to {high:.3f})" in text
    assert "adjusted for how strict each discriminator is" in text
    assert "third[x]" in text.partition("told apart from")[0]
    own = record["accuracy"]["second"]["second"]["value"]
    foreign = record["accuracy"]["second"]["model"]
    assert f"({own:.3f})" in text
    assert f"{foreign['interval'][0]:.3f}-{foreign['interval'][1]:.3f}" in text
    assert "kid (lower is better)" in text
    assert f"{record['metrics']['kid']['numbers']['model']['kid']['value']:.4f} (" in text
    assert f"protocol: {record['metrics']['kid']['protocol']['text']}" in text
    assert all(f"note: {note}" in text for note in record["notes"])
    assert text.endswith(f"-> {out}/compare.json, {out}/compare.png\n")


def test_watched_runs_are_recorded_beside_them(run_command: Command, tmp_path: Path) -> None:
    """Nobody trains: one match, and the end."""
    from gansmith.judge.compare.matches import matches_file, read

    several = [tmp_path / "runs" / str(seed) for seed in (0, 1)]
    for seed, out in enumerate(several):
        gansmith.train(**{**SMALL, "images": 64, "seed": seed, "holdout": 0.2}, out=str(out))
    result = run_command(compare, *several, "--watch", "--samples", 20, "--device", "cpu")
    assert result.exit_code == 0, result.exception
    [match] = read(matches_file(several))
    assert match["samples"] == 20
    assert result.stdout.count(" images: ") == len(several)
    refused = run_command(compare, *several, "--watch", "--report")
    assert isinstance(refused.exception, OptionError)
    assert "--report" in str(refused.exception)
    assert isinstance(run_command(compare, several[0], "nowhere", "--watch").exception, RunError)


def test_without_metrics_and_without_files(run_command: Command, several: list[Path], tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    given = ("--against", "digits", "--samples", 4, "--device", "cpu", "--metrics", "none")
    result = run_command(compare, *several[:2], *given)
    assert result.exit_code == 0, result.exception
    assert "not adjusted for how strict each discriminator is" in result.stdout
    assert "is better)" not in result.stdout
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("columns", [30, 40, 60, 80, 120])
def test_tables_are_whole_at_any_width(
    columns: int, run_command: Command, several: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a table does not fit, its cells are lines: no name and no number is cut or broken."""
    several[1] = several[1].rename(several[1].with_name("second-of-a-long-name"))
    given = ("--against", "digits", "--samples", 12, "--device", "cpu", "--metrics", "kid,precision_recall")
    monkeypatch.setenv("COLUMNS", str(columns))
    text = run_command(compare, *several, *given).stdout
    assert "…" not in text
    shown = text.partition("told apart")[0]
    assert shown.count("second-of-a-long-name") == (2 if "━" in shown else 4)
    assert "third[x]" in shown
    assert len(re.findall(r"\(\d\.\d{3}\)", shown)) == 3  # own pairs
    measured = text.partition("kid (lower is better)")[2]
    assert len(re.findall(r"\d\.\d{4} \(-?\d\.\d{4} to -?\d\.\d{4}\)", measured)) == 9
    assert all(len(line) <= columns for line in text.splitlines() if line.startswith(("┃", "│")))
    assert ("━" in shown) == (columns >= 80)


def test_the_ranking_in_words() -> None:
    numbers = [Number(0.6, 0.55, 0.65), Number(0.7, 0.64, 0.76), Number(0.71, 0.66, 0.75)]
    play = CrossPlay(
        names=("b", "a", "c"),
        accuracy=(),
        standings=tuple(Standing(name, number, 0.6, 2) for name, number in zip("abc", numbers, strict=True)),
        pairs=(
            Pair("a", "b", Number(0.1, 0.02, 0.18), True, 1, 1),
            Pair("b", "c", Number(0.01, -0.03, 0.05), False, 2, 3),
            Pair("a", "c", Number(0.11, 0.03, 0.19), True, 0, 0),
        ),
        adjusted=True,
        blind=(),
        inverted=(),
        kin=(0, 1, 2),
    )
    assert ranking(play) == [
        "told apart from real images, best first "
        "(0.5 cannot be, 1 always; adjusted for how strict each discriminator is):",
        "1. a  0.600 (0.550 to 0.650)",
        "2. b  0.700 (0.640 to 0.760)",
        "3. c  0.710 (0.660 to 0.750)",
        "   a is told apart less than b by 0.100 (0.020 to 0.180); 1 of 1 common discriminators say so; more runs "
        "would say whether it is better",
        "   b and c cannot be separated: b is ahead by 0.010 (-0.030 to 0.050); 2 of 3 common discriminators say so",
        "   a is told apart less than c by 0.110 (0.030 to 0.190); more runs would say whether it is better",
    ]


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (["model"], OptionError, "1 run given and at least two are needed"),
        (["model", "nowhere"], RunError, "there is no run nowhere"),
        (["model", "second"], RunError, "holds models only, and does not say which images were held out"),
        (["model", "second", "--against", "digits", "--metrics", "kdi"], UnknownNameError, "Did you mean 'kid'"),
        (["model", "second", "--against", "digits", "--features", "pixel"], UnknownNameError, "Did you mean 'pixels'"),
        (["model", "second", "--against", "digits", "--samples", "1"], OptionError, "samples = 1 is not allowed"),
    ],
)
def test_errors(
    run_command: Command, several: list[Path], arguments: list[str], kind: type[Exception], message: str
) -> None:
    result = run_command(compare, *arguments)
    assert isinstance(result.exception, kind)
    assert message in str(result.exception)


def test_it_is_a_command() -> None:
    code = "import sys; sys.argv = ['gansmith', 'compare', '--help']\nfrom gansmith.cli.main import main\nmain()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "Rank generators by the discriminators they were not trained with" in done.stdout


def test_a_page_with_all_runs(
    run_command: Command, several: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = ("--against", "digits", "--samples", 12, "--device", "cpu", "--metrics", "none", "--report")
    result = run_command(compare, *several, *given)
    assert result.exit_code == 0, result.exception
    assert result.stdout.endswith("-> compared/compare.json, compared/compare.png, compared/compare.html\n")
    text = (tmp_path / "compared" / "compare.html").read_text()
    assert "third[x]" in text
    assert json.loads((tmp_path / "compared" / "compare.json").read_text())["compared"][0] == "model"
    (tmp_path / "compared" / "compare.json").unlink()
    again = run_command(compare, *several, *given, "--out", "compared")
    assert isinstance(again.exception, OutputError)
    assert "compare.html" in str(again.exception)


def test_a_page_that_fails_loses_no_comparison(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> str:
        raise NotFiniteError("a metric is a NaN")

    monkeypatch.setattr("gansmith.judge.compare.page.page", fails)
    monkeypatch.setattr("gansmith.evaluation.matrix_picture.matrix_picture", lambda _: Image.new("L", (4, 4)))
    comparison: Any = SimpleNamespace(play=SimpleNamespace(pairs=[]), record=lambda: {"compared": ["a", "b"]})
    extractor: Any = object()
    with pytest.raises(NotFiniteError):
        write(comparison, tmp_path, extractor, replace=False)
    assert json.loads((tmp_path / "compare.json").read_text()) == {"compared": ["a", "b"]}
