"""Facts of a run for its report: what it drew and was asked for, its pace, its health; and advice that can be run."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

import gansmith
from gansmith.cli.main import app
from gansmith.evaluation.audit import commands
from gansmith.evaluation.audit.run_facts import RunFacts, read_run_facts
from gansmith.judge.run_facts import _best_recipe, run_facts
from gansmith.runs.run import Run
from small import SMALL


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return gansmith.train(**{**SMALL, "out": str(tmp_path_factory.mktemp("facts") / "a run")})


@pytest.fixture
def facts(run: Run) -> RunFacts:
    known = run_facts(run, distinct=323)
    assert known is not None
    return known


def test_what_a_run_knows(run: Run, facts: RunFacts) -> None:
    last = run.records[-1]
    assert (facts.path, facts.data) == (str(run.path), "digits")
    assert (facts.images, facts.asked, facts.distinct) == (320, 320, 323)
    assert facts.at_the_end
    assert facts.seconds == last["seconds"]
    assert facts.health == last["health"]
    values = [record["discriminator/accuracy"] for record in run.records][-5:]
    assert facts.accuracy == pytest.approx(sum(values) / len(values))
    assert (facts.size, facts.width, facts.upsample) == ("8x8", 4, "transposed")
    assert (facts.augment, facts.flip, facts.best_recipe) == (None, False, "dcgan_few")
    assert facts.improving is None  # it measured no metric


def test_an_earlier_checkpoint_has_the_facts_of_its_time(run: Run, facts: RunFacts) -> None:
    earlier = run_facts(run, distinct=323, checkpoint="previous", options=("--features", "pixels"))
    assert earlier is not None
    assert read_run_facts(json.loads(json.dumps(earlier.record()))) == earlier
    assert commands.evaluate(earlier)[0].endswith(" --checkpoint previous --features pixels")
    assert earlier.images < 320
    assert not earlier.at_the_end
    assert earlier.seconds is not None
    assert facts.seconds is not None
    assert earlier.seconds < facts.seconds


@pytest.mark.parametrize(("values", "improving"), [((1.0, 2.0), False), ((2.0, 1.0), None)])
def test_a_run_was_stopped_by_its_rule_only_where_its_records_say_so(
    values: tuple[float, float], improving: bool | None, tmp_path: Path
) -> None:
    """Four batches of 32 of the 320 asked; its rule has a patience of 64 images."""
    rule: Any = {"metrics": {"names": ["kid"]}, "stop": {"metric": "kid", "patience": 64}}
    interrupted = gansmith.train(**{**SMALL, "images": 128, "out": str(tmp_path / "run")})
    file = interrupted.path / "experiment.yaml"
    known = yaml.safe_load(file.read_text())
    file.write_text(yaml.safe_dump({**known, **rule, "images": 320}))
    with (interrupted.path / "events.jsonl").open("a") as events:
        for number, value in enumerate(values, 1):
            record = {"step": 2 * number, "images": 64 * number, "look": number, "metric/kid": value}
            events.write(json.dumps(record) + "\n")
    facts = run_facts(Run(interrupted.path), distinct=323)
    assert facts is not None
    assert not facts.at_the_end
    assert facts.improving is improving


@pytest.mark.parametrize(("rulers", "settled"), [((0.5, 0.6, 0.6), True), ((0.5, 0.6, 0.4), False)])
def test_a_run_that_its_checks_ended_goes_on_only_without_them(
    rulers: tuple[float, ...], settled: bool, tmp_path: Path
) -> None:
    """Its rule ends it when two checks reached no lower: the command to go on switches it off, and is obeyed."""
    ended = gansmith.train(**{**SMALL, "images": 128, "out": str(tmp_path / "run")})
    file = ended.path / "experiment.yaml"
    file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), "stop": {"settled": 2}, "images": 320}))
    with (ended.path / "events.jsonl").open("a") as events:
        for number, value in enumerate(rulers, 1):
            record = {"step": 2 * number, "images": 32 * number, "check/ruler": value, "signs": []}
            events.write(json.dumps(record) + "\n")
    facts = run_facts(Run(ended.path), distinct=323)
    assert facts is not None
    assert (facts.settled, facts.improving) == (settled, False if settled else None)
    ((line,), _) = commands.longer(facts, 160)
    assert line.endswith("--set stop.settled=0") is settled
    assert CliRunner().invoke(app, [*shlex.split(line)[1:], "--no-ruler"]).exit_code == 0
    assert Run(ended.path).checkpoint()["images"] == 160


def test_files_and_models_know_nothing(run: Run) -> None:
    assert run_facts(None, distinct=10) is None
    assert run_facts(Run(run.path / "model"), distinct=10) is None


def test_facts_are_read_back(facts: RunFacts) -> None:
    assert read_run_facts({**facts.record(), "of a later version": 1}) == facts


def test_rows_say_what_was_not_reached() -> None:
    known = dict(RunFacts("a", "b", 3_000, asked=60_000, distinct=1_000, seconds=90.0, accuracy=0.9).rows())
    assert known["trained on"] == "3\u202f000 of 60\u202f000 asked images"
    assert known["each image seen"] == "3 times"
    assert known["time of training"] == "2 minutes"
    assert "asked" not in dict(RunFacts("a", "b", 60_032, asked=60_000).rows())["trained on"]
    assert RunFacts("a", "b", 1, health="balanced, memorising").health_words()[1][0] == "memorising"


def test_the_pace_is_that_of_the_judged_images() -> None:
    assert RunFacts("a", "b", 1_000, seconds=50.0).time_for(3_000) == 150.0
    assert RunFacts("a", "b", 1_000).time_for(3_000) is None
    assert RunFacts("a", "b", 0, seconds=50.0).time_for(3_000) is None


@pytest.mark.parametrize("kind", ["resize", "augmented", "recipe", "start"])
def test_advised_trainings_begin(kind: str, facts: RunFacts, tmp_path: Path) -> None:
    """Each command with --dry-run, which reads the data and builds the networks."""
    known = replace(facts, size="16x16")
    ways: dict[str, Any] = {
        "resize": lambda: commands.changed(facts, "resize", "--set", "generator.upsample=resize", images=320),
        "augmented": lambda: commands.augmented(facts),
        "recipe": lambda: commands.with_best(replace(known, time=60.0)),
        "start": lambda: commands.started(facts, str(facts.zoo)),
    }
    ((line,), _) = ways[kind]()
    ended = CliRunner().invoke(app, [*shlex.split(line)[1:], "--device", "cpu", "--dry-run"])
    assert ended.exit_code == 0, ended.output
    length = "images in batches of" if kind == "recipe" else "320 images in batches of"
    assert length in ended.output
    assert f"{facts.path}-" in ended.output


def test_an_advised_continuation_continues(run: Run, facts: RunFacts) -> None:
    ((line,), _) = commands.longer(facts, commands.twice(facts))
    ended = CliRunner().invoke(app, shlex.split(line)[1:])
    assert ended.exit_code == 0, ended.output
    assert run.checkpoint()["images"] == 640


@pytest.mark.parametrize(
    ("recipe", "time", "distinct", "best"),
    [
        ("dcgan_fast", 60, 875, "dcgan_fast"),  # of 1,000 images 875 are trained on, and the choice was by the 1,000
        ("dcgan_few", 60, 875, "dcgan_few"),
        ("dcgan_small", 60, 875, "dcgan_few"),
        ("dcgan_fast", 60, 700, "dcgan_few"),
        ("dcgan_fast", None, 1_900, "stylegan2_small"),
        ("dcgan_fast", 60, 1_900, "dcgan_fast"),
    ],
)
def test_the_best_recipe_is_that_of_the_time(run: Run, recipe: str, time: int | None, distinct: int, best: str) -> None:
    experiment = run.experiment.model_copy(update={"recipe": recipe, "time": time})
    assert _best_recipe(experiment, distinct) == best
