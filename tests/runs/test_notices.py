"""Words of a training about itself: which sign stands by which numbers, what is pasted, and no false alarm."""

from __future__ import annotations

from typing import Any

import pytest

from gansmith.evaluation.audit.run_facts import RunFacts
from gansmith.runs.notices import Notice, PlayersFacts, improved, notices

FACTS = RunFacts("runs/a", "photos", 50_000, asked=100_000, distinct=1_400, recipe="dcgan_small", upsample="resize")


def check(images: int, ruler: float | None = None, **values: float) -> dict[str, Any]:
    record: dict[str, Any] = {"images": images, "check/real_layout": 0.96, "check/spread": 0.9, "check/told_apart": 0.5}
    if ruler is not None:
        record["check/ruler"] = ruler
    return record | {f"check/{name}": value for name, value in values.items()}


def signs(*checks: dict[str, Any], facts: RunFacts = FACTS, players: PlayersFacts | None = None) -> list[str]:
    return [notice.sign for notice in notices(checks, facts, players)]


# Hand signs with settings that worked, measured each 10,000 images: ruler, layout, told_apart, spread
HANDS = [
    (0.89, 0.0, 0.53, 1.08),
    (0.85, 0.03, 0.47, 0.78),
    (0.76, 0.27, 0.54, 0.97),
    (0.77, 0.30, 0.58, 0.95),
    (0.72, 0.47, 0.58, 0.88),
    (0.69, 0.33, 0.61, 0.89),
    (0.68, 0.58, 0.61, 0.96),
    (0.63, 0.53, 0.57, 0.87),
    (0.64, 0.53, 0.53, 1.02),
    (0.62, 0.56, 0.58, 0.95),
]


@pytest.mark.parametrize("every", [2, 3, 5])
def test_a_healthy_run_is_told_of_nothing_but_its_progress(every: int) -> None:
    history = [
        check(10_000 * number, ruler, layout=layout, told_apart=told, spread=spread)
        for number, (ruler, layout, told, spread) in enumerate(HANDS, 1)
        if number % every == 0
    ]
    said = {sign for end in range(1, len(history) + 1) for sign in signs(*history[:end])}
    assert said == {"improving"}


def test_texture_is_said_at_the_second_check_that_sees_no_layout() -> None:
    nothing, something = check(25_000, 0.9, layout=0.1), check(50_000, 0.9, layout=0.11)
    assert signs(nothing) == []
    assert signs(nothing, check(50_000, 0.9, layout=0.0)) == ["texture"]
    assert signs(nothing, something) == []
    assert signs(something, nothing) == []
    short = RunFacts("runs/a", "photos", 25_000, asked=25_000)
    assert signs(nothing, facts=short) == ["texture"]  # no second check will come


def test_a_classifier_that_sees_no_layout_in_real_images_says_nothing() -> None:
    blind = check(50_000, 0.9, layout=0.0, real_layout=0.49)
    assert signs(blind, blind) == []


def test_what_is_pasted_against_texture_is_what_the_run_lacks() -> None:
    seen = [check(25_000, 0.9, layout=0.0), check(50_000, 0.9, layout=0.0)]

    def paste(**facts: Any) -> str:
        settings = {"recipe": "dcgan_small", "upsample": "resize", **facts}
        return notices(seen, RunFacts("runs/a", "photos", 50_000, asked=60_000, **settings))[0].paste

    assert paste() == "gansmith resume runs/a --images 120000"
    assert paste(best_recipe="dcgan_small") == paste()
    other = paste(best_recipe="dcgan_fast")
    assert other == "gansmith train photos --out runs/a-dcgan_fast"
    few = [check(25_000, 0.9, layout=0.0), check(50_000, 0.9, layout=0.0, told_apart=0.9)]
    texture, memorising = notices(few, FACTS)
    assert texture.paste == ""  # once, below the sentence on its cause
    assert "augment=diffaugment" in memorising.paste
    begins = [check(25_000, 0.9, layout=0.0, told_apart=0.4), few[1] | {"check/told_apart": 0.7}]
    (texture,) = notices(begins, FACTS)
    assert "augment=diffaugment" in texture.paste
    (small,) = notices(seen, FACTS, PlayersFacts(share=0.01))
    assert "generator.width=64" in small.paste
    assert "100" in small.words


def test_texture_of_few_images_asks_for_more_of_them() -> None:
    seen = [check(25_000, 0.9, layout=0.0, told_apart=0.5)] * 2
    facts = RunFacts("runs/a", "photos", 50_000, asked=60_000, distinct=99, zoo="hand_signs")
    (notice,) = notices(seen, facts)
    assert "99 images: from 100 on" in notice.words
    assert "--from hand_signs" in notice.paste


def test_texture_that_gets_nearer_is_asked_to_wait() -> None:
    texture, improving = notices([check(25_000, 1.7, layout=0.0), check(50_000, 1.4, layout=0.0)], FACTS)
    assert (texture.sign, texture.paste, improving.sign) == ("texture", "", "improving")


def test_a_rate_that_is_far_too_high() -> None:
    high = PlayersFacts(rate=5e-2)
    far = [check(25_000, 1.8, layout=0.2), check(50_000, 0.9, layout=0.2)]
    (notice,) = notices(far, FACTS, high)  # not "still improving", though the ruler fell
    nothing = check(50_000, 0.9, layout=0.0)
    assert signs(nothing, nothing, players=high) == ["rate"]  # nor anything else that follows from it
    assert notice.sign == "rate"
    assert "0.05" in notice.words
    assert "optimizer.discriminator.lr=2e-3" in notice.paste
    assert signs(*far, players=PlayersFacts(rate=4e-3)) == ["improving"]
    assert signs(check(25_000, 0.3), players=high) == []  # it works all the same
    assert signs(check(25_000), players=high) == []  # without features nothing is known of the samples


@pytest.mark.parametrize(("spread", "ruler", "said"), [(2.2, None, ["rate"]), (1.4, None, []), (2.2, 0.3, [])])
def test_a_rate_that_is_far_too_high_without_features(spread: float, ruler: float | None, said: list[str]) -> None:
    """Samples more unlike each other than any real images; the ruler knows better where there is one."""
    assert signs(check(10_000, ruler, spread=spread), players=PlayersFacts(rate=4e-2)) == said
    assert signs(check(10_000, ruler, spread=spread), players=PlayersFacts(rate=4e-3)) == []


def test_memorising_needs_two_checks_and_names_what_is_lacking() -> None:
    known = check(25_000, told_apart=0.8)
    assert signs(known) == []
    assert signs(check(25_000, told_apart=0.55), known) == ["memorising"]
    assert signs(check(25_000, told_apart=0.45), known) == []
    assert signs(known, check(50_000, told_apart=0.6)) == []
    (notice,) = notices([known, known], FACTS)
    assert "1\u202f400" in notice.words
    assert "80 of 100" in notice.words
    assert "--set augment=diffaugment --set augment.policy=translation,cutout --images" in notice.paste
    for flip in (True, False):
        augmented = RunFacts("runs/a", "photos", 50_000, augment="diffaugment", flip=flip)
        (notice,) = notices([known, known], augmented)
        assert notice.paste == ""
        assert ("--flip" in notice.words) != flip


def test_samples_that_are_all_alike() -> None:
    alike = check(25_000, 0.5, spread=0.24)
    assert signs(alike) == []
    assert signs(check(25_000, 0.9), alike) == ["improving"]
    (notice,) = notices([alike, alike], FACTS)
    assert notice.sign == "collapse"
    assert "augment.policy=translation,cutout" in notice.paste
    best = RunFacts("runs/a", "photos", 50_000, recipe="dcgan_small", best_recipe="dcgan_few")
    assert notices([alike, alike], best)[0].paste == "gansmith train photos --out runs/a-dcgan_few"
    whole = RunFacts("runs/a", "photos", 50_000, recipe="dcgan_few", best_recipe="dcgan_few", augment="diffaugment")
    (notice,) = notices([alike, alike], whole)
    assert notice.paste == ""
    assert "more images" in notice.words


@pytest.mark.parametrize(("before", "now", "moved"), [(1.0, 0.89, True), (1.0, 0.91, False), (0.2, 0.17, False)])
def test_improvement_is_more_than_chance(before: float, now: float, moved: bool) -> None:
    assert improved([check(25_000, before), check(50_000, now)]) is moved
    assert improved([check(25_000, before), check(50_000, 2.0), check(75_000, now)]) is moved  # than the best


def test_a_notice_is_lines_and_plain_values() -> None:
    notice = Notice("texture", "Words.", "gansmith train x", again=True)
    assert notice.lines() == ["Words.", "  gansmith train x"]
    assert Notice(**notice.record()).lines() == notice.lines()
