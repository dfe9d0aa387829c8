"""Advice: of all five answers and the run together the most likely step first, never two that contradict each other."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any

import pytest
from typer.main import get_command

from gansmith.evaluation.audit.advice import Step, steps
from gansmith.evaluation.audit.run_facts import RunFacts
from gansmith.evaluation.protocol import Protocol
from gansmith.evaluation.types import QUESTIONS, Answer, Number, Verdict

BASE = Protocol("", "mobilenet@1 (112)", "signs train", 1750, 300, "32x32x3", "averaged", "toy", "0 to 299")
COUNTS = {"samples": 2000, "real images held out": 300}
RUN = RunFacts(
    "my runs/a",
    "photos",
    60_032,
    asked=60_000,
    distinct=1750,
    seconds=120.0,
    health="discriminator winning",
    accuracy=0.99,
    recipe="dcgan_small",
    best_recipe="dcgan_few",
    size="32x32",
    upsample="resize",
    width=32,
)
HEADLINES = {"quality": "ruler", "artifacts": "checkerboard"}


def answers(headline: str = "", value: float = 0.5, **verdicts: Verdict) -> dict[str, Answer]:
    """All five, good but for `verdicts`; the number that artifacts rests on, and its value."""
    whole = {}
    for question in QUESTIONS:
        name = headline if question == "artifacts" and headline else HEADLINES.get(question, "share")
        number = Number(value, value - 0.1, value + 0.1)
        whole[question] = Answer(question, verdicts.get(question, "good"), ".", name, {name: number}, BASE)
    return whole


def plan(run: RunFacts | None = RUN, counts: Any = COUNTS, features: str = BASE.features, **kinds: Any) -> list[Step]:
    return list(steps(answers(**kinds), run=run, counts=counts, features=features))


def commands(plan: list[Step]) -> str:
    return "\n".join(command for step in plan for command in step.commands)


def test_nothing_wrong_is_one_step_without_training() -> None:
    (only,) = plan()
    assert only.commands == (
        "gansmith sample 'my runs/a' --seeds 0-255 --out grid.png",
        "gansmith blindtest 'my runs/a'",
    )


def test_a_finished_run_that_is_not_there_yet_goes_on_at_its_own_pace() -> None:
    first, *_ = plan(quality="bad")
    assert first.commands == ("gansmith resume 'my runs/a' --images 120000",)
    assert "2 minutes" in first.forecast  # 60,000 more at 500 a second
    assert first.question == "quality"


def test_a_run_that_stopped_short_goes_on_to_its_end() -> None:
    short = replace(RUN, images=10_000, seconds=40.0)
    first, *others = plan(short, quality="bad")
    assert first.commands == ("gansmith resume 'my runs/a' --images 60000",)
    assert "3 minutes" in first.forecast  # 50,000 at 250 a second
    assert "10\u202f000 of the 60\u202f000" in first.why
    assert "width" not in commands(others)


@pytest.mark.parametrize(
    "wrong", [{"collapse": "bad"}, {"memorisation": "bad"}, {"collapse": "bad", "memorisation": "bad"}]
)
@pytest.mark.parametrize("images", [10_000, 60_032])
def test_a_set_that_repeats_itself_or_copies_is_never_trained_further(wrong: dict[str, Verdict], images: int) -> None:
    found = plan(replace(RUN, images=images), quality="bad", diversity="bad", artifacts="bad", **wrong)
    assert [step.question for step in found] == list(wrong)
    assert "resume" not in commands(found)
    assert "Continue" not in " ".join(step.do for step in found)
    assert all(step.commands for step in found)


def test_a_run_too_young_for_a_layout_goes_on_though_its_fog_repeats_itself() -> None:
    young = replace(RUN, images=10_000, asked=10_000)

    def first(run: RunFacts, layout: Number, **verdicts: Verdict) -> str:
        found = answers(**{"quality": "bad", "collapse": "bad", **verdicts})
        numbers = {**found["quality"].numbers, "layout_ratio": layout}
        found["quality"] = replace(found["quality"], numbers=numbers)
        return "\n".join(steps(found, run=run, counts=COUNTS, features=BASE.features)[0].commands)

    none, some = Number(0.0, 0.0, 0.02), Number(0.9, 0.85, 0.95)
    assert first(young, none) == "gansmith resume 'my runs/a' --images 20000"
    assert "resume" not in first(young, some)
    assert "resume" not in first(replace(young, images=60_000), none)
    assert "resume" not in first(young, none, memorisation="bad")


def test_a_discriminator_that_memorises_is_named_and_augmented_against() -> None:
    first, second, *_ = plan(replace(RUN, health="balanced, memorising"), quality="bad")
    assert "resume" in first.commands[0]
    assert "know its training images" in first.why
    assert "--set augment=diffaugment --set augment.policy=translation,cutout --images" in second.commands[0]
    again = plan(replace(RUN, health="memorising", augment="ada"), quality="bad")
    assert "augment" not in commands(again)


def test_a_collapsed_run_gets_what_measured_best_of_what_it_lacks() -> None:
    """The best recipe, then augmentation, then images; never a recipe that measured worse."""
    first, *_ = plan(collapse="bad")
    assert first.commands == ("gansmith train photos --size 32x32 --out 'my runs/a-dcgan_few'",)
    assert "--dry-run" in first.forecast  # another recipe's pace is not known
    first, *_ = plan(replace(RUN, recipe="dcgan_fast", best_recipe="dcgan_fast"), collapse="bad")
    assert "--set augment.policy=translation,cutout" in first.commands[0]
    for wrong in ("collapse", "diversity"):
        first, *_ = plan(replace(RUN, recipe="dcgan_few", augment="diffaugment"), **{wrong: "bad"})
        assert (first.question, first.commands) == (wrong, ())
        assert "more images" in first.do


def test_copies_ask_for_what_the_run_lacked() -> None:
    def of(**changes: Any) -> str:
        return commands(plan(replace(RUN, **changes), memorisation="bad"))

    assert "--set augment=diffaugment --set augment.policy=translation,cutout --images" in of()
    assert of(augment="ada") == ""
    (step,) = plan(memorisation="bad")
    assert "1\u202f750" in step.do
    (step,) = plan(replace(RUN, augment="ada"), memorisation="bad")
    assert "more images than these 1\u202f750" in step.do
    (once,) = plan(replace(RUN, recipe="dcgan_few"), memorisation="bad", collapse="bad")
    assert once.question == "memorisation"


@pytest.mark.parametrize("distinct", [1, 20, 99, 100])
@pytest.mark.parametrize("zoo", [None, "hand_signs"])
def test_few_images_need_more_images_or_a_start(distinct: int, zoo: str | None) -> None:
    few = replace(RUN, distinct=distinct, zoo=zoo)
    first, *_ = plan(few, quality="bad")
    assert ("from 100 on" in first.do) == ("resume" not in commands([first])) == (distinct < 100)
    if distinct < 100:
        start = "gansmith train photos --from hand_signs --size 32x32 --images 60032 --out 'my runs/a-hand_signs'"
        assert first.commands == ((start,) if zoo else ())
        assert plan(few, collapse="bad")[0].do == first.do


def test_a_checkerboard_needs_a_new_run_and_one_step_serves_both() -> None:
    old = replace(RUN, upsample="transposed")
    first, *others = plan(old, quality="bad", artifacts="bad")
    assert "--set generator.upsample=resize --images 60032" in first.commands[0]
    assert "resume" not in commands([first, *others])
    assert commands([first, *others]).count("upsample") == 1
    (alone,) = plan(old, artifacts="bad")
    assert "upsample=resize" in alone.commands[0]
    assert "upsample" not in commands(plan(artifacts="bad"))  # it enlarges so already


def test_width_is_advised_last_and_with_its_cost() -> None:
    best = replace(RUN, recipe="dcgan_few")
    *before, last = plan(best, quality="bad")
    assert before
    assert "--set generator.width=64 --set discriminator.width=64" in last.commands[0]
    assert last.forecast.startswith("up to 8 minutes")  # four times the run's two minutes
    (smooth,) = plan(best, artifacts="bad", headline="high_frequencies", value=-4.0)
    assert "width=64" in smooth.commands[0]


def test_a_run_that_no_longer_improves_or_diverges_is_not_continued() -> None:
    for change in ({"improving": False}, {"health": "discriminator winning, diverging"}):
        found = plan(replace(RUN, **change), quality="bad")
        assert "resume" not in commands(found)
        assert found[0].commands[0].endswith("--out 'my runs/a-dcgan_few'")
    assert "resume" in commands(plan(replace(RUN, improving=True), quality="bad"))
    (slower, *_) = plan(replace(RUN, recipe="dcgan_few", health="diverging"), quality="bad")
    assert "optimizer.generator.lr=2e-3 --set optimizer.discriminator.lr=2e-3" in slower.commands[0]


def test_pixels_ask_for_features_first_unless_something_is_surely_wrong() -> None:
    first, *_ = plan(features="pixels@1", quality="cannot tell")
    assert first.commands == ("gansmith features install mobilenet", "gansmith evaluate 'my runs/a'")
    both = plan(features="pixels@1", quality="cannot tell", collapse="bad")
    assert [step.question for step in both] == ["collapse", "quality"]


def test_held_out_images_of_another_kind_come_before_training() -> None:
    kinds = answers(quality="cannot tell", value=0.05)
    kinds["quality"] = replace(kinds["quality"], needs=("other held-out images",))
    first, *others = steps(kinds, run=RUN, counts={"samples": 100, "real images held out": 30}, features="mobilenet@1")
    assert "--holdout" in first.commands[0]
    assert not others


def test_twins_ask_for_groups_to_be_held_out() -> None:
    kinds = answers(memorisation="cannot tell")
    kinds["memorisation"] = replace(kinds["memorisation"], needs=("held-out images without twins",))
    (only,) = steps(kinds, run=RUN, counts=COUNTS, features="mobilenet@1")
    assert "--holdout-by similar" in only.commands[0]


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("ruler", Number(0.15, 0.12, 0.18)),  # surely not good, and not bad
        ("thing_ratio", Number(0.5, 0.4, 0.6)),  # the thing is seen half as often as in real images
    ],
)
def test_what_is_surely_not_yet_real_is_trained_further(name: str, number: Number) -> None:
    kinds = answers(quality="cannot tell")
    kinds["quality"] = replace(kinds["quality"], numbers={name: number})
    first, *_ = steps(kinds, run=RUN, counts=COUNTS, features="mobilenet@1")
    assert first.commands[0].startswith("gansmith resume")
    unsure = {**kinds, "quality": replace(kinds["quality"], numbers={name: replace(number, low=0.05, high=2.0)})}
    (only,) = steps(unsure, run=RUN, counts=COUNTS, features="mobilenet@1")
    assert "resume" not in commands([only])
    assert "open" in only.why


def test_few_images_are_asked_for_only_where_an_answer_is_open() -> None:
    few = {"samples": 300, "real images held out": 50}
    assert [step.commands for step in plan(counts=few, memorisation="cannot tell")] == [
        ("gansmith evaluate 'my runs/a' --holdout OTHER_IMAGES",),
        ("gansmith evaluate 'my runs/a' --samples 2000",),
    ]
    assert len(plan(counts=few)) == 1
    assert "holdout" not in commands(plan(counts=few, collapse="cannot tell"))


@pytest.mark.parametrize(
    ("run", "kinds"),
    [
        (RUN, {"artifacts": "bad"}),  # a checkerboard of a generator that enlarges so already
        (RUN, {"artifacts": "bad", "headline": "high_frequencies", "value": 3.0, "collapse": "cannot tell"}),
        (replace(RUN, width=None), {"artifacts": "bad", "headline": "high_frequencies", "value": -3.0}),
        (RUN, {"artifacts": "bad", "headline": "repeats"}),
        (None, {"artifacts": "bad", "headline": "high_frequencies", "value": 3.0}),
    ],
)
def test_what_is_bad_without_a_remedy_is_not_called_right(run: RunFacts | None, kinds: dict[str, Any]) -> None:
    kinds = {**kinds}
    if kinds.get("headline") == "high_frequencies" and kinds["value"] > 0 and run is not None:
        run = replace(run, width=None)
    (only,) = plan(run, **kinds)
    assert "No remedy" in only.why
    assert "Nothing" not in only.why
    assert "beside real" in only.do
    assert "Nothing is wrong" in plan()[0].why


def test_a_first_step_answers_to_no_step_before_it() -> None:
    best = replace(RUN, recipe="dcgan_few")
    alone = plan(replace(best, improving=False), quality="bad")
    assert len(alone) == 1
    smooth = {"artifacts": "bad", "headline": "high_frequencies", "value": -4.0}
    for (first, *_), before in ((alone, False), (plan(best, **smooth), False), (plan(best, quality="bad")[1:], True)):
        assert "twice as wide (64)" in first.do
        assert first.do.startswith("If that is not enough") == before


def test_what_is_evaluated_again_is_what_was_evaluated() -> None:
    few = {"samples": 300, "real images held out": 50}
    options = ("--against", "my photos", "--holdout", "few", "--features", "mobilenet", "--set", "features.size=96")
    whole = "--against 'my photos' --holdout few --features mobilenet --set features.size=96"
    run = replace(RUN, checkpoint="000010000", raw=True, options=options)
    own = "gansmith evaluate 'my runs/a' --checkpoint 000010000"
    assert [step.commands for step in plan(run, few, memorisation="cannot tell")] == [
        (f"{own} --raw {whole.replace(' --holdout few', '')} --holdout OTHER_IMAGES",),
        (f"{own} --raw {whole} --samples 2000",),
    ]
    (install, *_) = plan(run, features="pixels@1", quality="cannot tell")
    assert install.commands[1] == f"{own} --raw --against 'my photos' --holdout few"
    (averaged,) = plan(run, artifacts="bad", headline="high_frequencies", value=3.0)
    assert averaged.commands == (f"{own} {whole}",)


def test_files_get_words_without_commands_of_a_run() -> None:
    for kinds in ({"quality": "bad"}, {"collapse": "bad"}, {"memorisation": "bad"}, {"artifacts": "bad"}):
        found = plan(None, **kinds)
        assert found
        assert not commands(found)


ALL: list[dict[str, Any]] = [
    *({question: verdict} for question in QUESTIONS for verdict in ("good", "bad", "cannot tell")),
    {"quality": "bad", "artifacts": "bad"},
    {"quality": "bad", "diversity": "bad", "collapse": "bad", "memorisation": "bad"},
    {"artifacts": "bad", "headline": "high_frequencies", "value": 3.0},
]
RUNS = [
    RUN,
    replace(RUN, images=100, upsample="transposed", raw=True),
    replace(RUN, checkpoint="best", options=("--features", "pixels", "--set", "features.size=96")),
    replace(RUN, recipe="dcgan_few", augment="ada", flip=True, seconds=None, size="", improving=False),
    replace(RUN, distinct=20, zoo="hand_signs", health="diverging"),
]


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("kinds", ALL, ids=str)
def test_every_command_is_one_that_the_command_line_takes(run: RunFacts, kinds: dict[str, Any]) -> None:
    from gansmith.cli.main import app

    for features in ("mobilenet@1", "pixels@1"):
        for step in plan(run, {"samples": 100, "real images held out": 30}, features, **kinds):
            assert step.do.endswith(".")
            assert step.why.endswith(".")
            for line in step.commands:
                program, *words = shlex.split(line)
                assert program == "gansmith"
                command: Any = get_command(app)
                while words[0] in getattr(command, "commands", {}):
                    command = command.commands[words.pop(0)]
                command.make_context("gansmith", words)  # raises for an option or a value that it does not take
                assert "generator.width=128" not in words
