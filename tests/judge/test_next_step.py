"""The one next step of a run that has ended: which rule, by which numbers, and the command it names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gansmith.evaluation.audit.advice import Step
from gansmith.evaluation.audit.run_facts import RunFacts
from gansmith.evaluation.number_format import number
from gansmith.evaluation.types import Number, Ruler, Seen
from gansmith.judge.end_of_training import as_line
from gansmith.judge.next_step import next_step, without_layout
from gansmith.judge.ruler_at_the_end import AtTheEnd

FACTS = RunFacts(
    "runs/a", "photos", 60_000, asked=60_000, seconds=60, recipe="dcgan_small", upsample="resize", width=64
)


def measured(ruler: float = 0.6, layout: float = 0.5, real: float = 0.96) -> AtTheEnd:
    def number(value: float) -> Number:
        return Number(value, value - 0.05, value + 0.05)

    place = Ruler(number(ruler), number(0.0), {}, {}, 1.0, "cut into 4 x 4 and shuffled")
    return AtTheEnd(place, Seen("a layout", number(layout), number(real)), 300)


def checks(*rulers: float, **last: Any) -> list[dict[str, Any]]:
    history: list[dict[str, Any]] = [
        {"images": 10_000 * number, "check/ruler": ruler, "signs": [], "notices": []}
        for number, ruler in enumerate(rulers, 1)
    ]
    history[-1] |= last
    return history


def standing(sign: str, paste: str = "paste this") -> dict[str, Any]:
    return {"signs": [sign], "notices": [{"sign": sign, "words": "what was seen", "paste": paste}]}


def test_a_run_that_still_improves_is_prolonged_with_the_forecast() -> None:
    step = next_step(FACTS, checks(0.9, 0.7), measured())
    assert step.commands == ("gansmith resume runs/a --images 120000",)
    assert "60 seconds" in step.forecast
    assert "0.90 at 10" in step.why
    assert "0.70 at 20" in step.why


def test_a_broken_training_comes_before_all() -> None:
    assert next_step(FACTS, checks(0.9, 0.7, **standing("rate")), measured(layout=0.0)).commands == ("paste this",)


@pytest.mark.parametrize("measurement", [measured(layout=0.02), None])
def test_texture_asks_for_what_the_run_lacks(measurement: AtTheEnd | None) -> None:
    history = checks(0.9, 0.9, **standing("texture"))

    def command(**facts: Any) -> str:
        settings = {"asked": 60_000, "recipe": "dcgan_small", "upsample": "resize", **facts}
        return next_step(RunFacts("runs/a", "photos", 60_000, **settings), history, measurement).commands[0]

    assert command() == "gansmith resume runs/a --images 120000"
    assert command(best_recipe="dcgan_small") == command()
    begun = command(best_recipe="dcgan_fast", time=60.0)
    assert begun == "gansmith train photos --time 60s --out runs/a-dcgan_fast"
    small = checks(0.9, 0.9, **standing("texture", "gansmith train --set generator.width=64"))
    assert next_step(FACTS, small, measurement).commands == ("gansmith train --set generator.width=64",)


def test_a_good_run_is_to_be_judged_and_one_that_stands_still_widened() -> None:
    assert next_step(FACTS, checks(0.9, 0.7), measured(ruler=0.04)).commands == ("gansmith evaluate runs/a",)
    assert next_step(FACTS, checks(0.9, 0.7), measured(ruler=0.06)).commands[0].startswith("gansmith resume")
    still = next_step(FACTS, checks(0.6, 0.6, 0.61, 0.62), measured())
    assert "generator.width=128" in still.commands[0]


def test_memorising_counts_once_nothing_improves() -> None:
    assert "resume" in next_step(FACTS, checks(0.9, 0.7, **standing("memorising")), measured()).commands[0]
    (command,) = next_step(FACTS, checks(0.7, 0.7, **standing("memorising")), measured()).commands
    assert "--set augment=diffaugment --set augment.policy=translation,cutout --images" in command
    augmented = replace(FACTS, augment="diffaugment")
    (command,) = next_step(augmented, checks(0.7, 0.7, **standing("memorising")), measured()).commands
    assert "resume" in command


@pytest.mark.parametrize("measurement", [measured(), None])
@pytest.mark.parametrize("distinct", [1, 20, 99])
def test_few_images_are_not_trained_on_for_longer(distinct: int, measurement: AtTheEnd | None) -> None:
    few = replace(FACTS, distinct=distinct)
    for history in ([], checks(0.9, 0.7), checks(0.9, 0.9, **standing("collapse"))):
        step = next_step(few, history, measurement)
        assert "from 100 on" in step.do
        assert f"{distinct} image{'s' * (distinct > 1)}:" in step.do
        assert step.commands == ()
        (command,) = next_step(replace(few, zoo="hand_signs"), history, measurement).commands
        assert command == "gansmith train photos --from hand_signs --images 60000 --out runs/a-hand_signs"
    assert "resume" in next_step(replace(FACTS, distinct=100), [], measurement).commands[0]


def test_samples_that_are_all_alike_are_told_by_what_is_known_now() -> None:
    """Not by the command of a notice, which an earlier version may have written."""
    alike = checks(0.9, 0.9, **standing("collapse", "gansmith train photos --recipe sngan_small"))
    (command,) = next_step(replace(FACTS, best_recipe="dcgan_few"), alike, measured()).commands
    assert command.startswith("gansmith train photos")
    assert command.endswith("--out runs/a-dcgan_few")
    whole = replace(FACTS, recipe="dcgan_few", best_recipe="dcgan_few", augment="diffaugment")
    assert next_step(whole, alike, measured()).commands == ()


def test_layouts_that_are_not_known_say_nothing() -> None:
    sure = Seen("a layout", Number(0.0), Number(0.9))
    assert without_layout(sure)
    assert not without_layout(None)
    assert not without_layout(Seen("a layout", Number(0.0), Number(0.9), unclear="textures"))
    assert not without_layout(Seen("a layout", Number(0.0), Number(0.4)))
    assert not without_layout(Seen("a layout", Number(0.11), Number(0.9)))


def test_thousands_on_a_terminal_have_commas() -> None:
    assert "33,000" in as_line(Step("quality", f"Continue the run, to {number(33_000)} images in all.", "", ()))
