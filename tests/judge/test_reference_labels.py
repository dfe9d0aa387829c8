"""Labels of held-out images from elsewhere: by the training images' numbers of the classes, or none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gansmith.judge.image_sets import subject_of
from gansmith.judge.reference_images import reals_of

LEVELS = {"ant": 40, "bee": 120, "cat": 200, "dog": 240}


def folder(root: Path, names: tuple[str, ...]) -> str:
    """20 images of each class, whose level says which it is."""
    for name in names:
        (root / name).mkdir(parents=True)
        for number in range(20):
            pixels = np.full((8, 8, 1), LEVELS[name], np.uint8)
            pixels[number // 8, number % 8] = 0  # no two alike
            Image.fromarray(pixels[..., 0]).save(root / name / f"{number}.png")
    return str(root)


@pytest.mark.parametrize(
    ("names", "known"), [(("ant", "bee", "cat"), True), (("bee", "cat"), True), (("bee", "dog"), False)]
)
def test_classes_are_matched_by_name(names: tuple[str, ...], known: bool, tmp_path: Path) -> None:
    train, held = folder(tmp_path / "train", ("ant", "bee", "cat")), folder(tmp_path / "held", names)
    subject = subject_of(
        Path(folder(tmp_path / "made", ("ant", "bee"))), 40, 1, checkpoint=None, raw=False, device="cpu", trust=False
    )
    reals = reals_of(subject, against=train, holdout=held, most=100, seed=0)
    assert reals.classes == ("ant", "bee", "cat")
    assert reals.holdout is not None
    for images, labels in (reals.train, reals.holdout):
        if labels is None:
            assert not known
            continue
        seen = [LEVELS[reals.classes[label]] for label in labels]
        np.testing.assert_allclose(np.median(images, axis=(1, 2, 3)), seen, atol=1)
    assert (reals.holdout[1] is not None) == known
