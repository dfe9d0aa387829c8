"""Things: in what share of images a network of ImageNet's classes sees what it sees in the real images.

The thing is the fewest classes, FEW at most, that hold half of the probability summed over the training images. It is
asked about only where the network knows it: where these classes together have more than CLEAR of the probability in
at least KNOWN of the training images. Classes of MobileNetV2 are those of ILSVRC 2012 (Russakovsky et al. 2015,
"ImageNet Large Scale Visual Recognition Challenge"), in the order of their WordNet numbers, by the first word of
each; their names are in imagenet_classes.txt. TF-Inception orders 1,008 classes in its own way: there they stay without
names. Pure functions of class probabilities.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from gansmith.evaluation.layout import share_of
from gansmith.evaluation.types import Features, Seen

FEW, HALF = 10, 0.5  # at most so many classes hold so much of the summed probability
CLEAR, KNOWN = 0.1, 0.4  # probability of the classes together, in so many of the training images
KNOWING = ("mobilenet", "inception")  # extractors whose classes are ImageNet's
_KINDS = {  # ranges of the classes' numbers, which follow WordNet's tree
    "a fish": ((0, 6), (389, 397)),
    "a bird": ((7, 24), (80, 100), (127, 146)),
    "a dog": ((151, 268),),
    "a cat": ((281, 285),),
    "a big cat": ((286, 293),),
    "a bear": ((294, 297),),
    "a beetle": ((300, 307),),
    "a butterfly": ((321, 326),),
    "a monkey or ape": ((365, 382),),
    "a snake": ((52, 68),),
    "a lizard": ((38, 48),),
    "a spider": ((72, 77),),
    "a flower": ((985, 986),),
    "a mushroom": ((991, 997),),
}
_NAMED = 3  # classes of a thing that are called by their names


@cache
def class_names() -> tuple[str, ...]:
    """The names of ImageNet's 1,000 classes, in the order of the network's outputs.

    >>> class_names()[281:286]
    ('tabby', 'tiger cat', 'Persian cat', 'Siamese cat', 'Egyptian cat')
    """
    return tuple(files(__package__).joinpath("imagenet_classes.txt").read_text(encoding="utf-8").split("\n")[:-1])


def known_thing(probabilities: Features) -> NDArray[np.int64] | None:
    """Class probabilities [N, K] of training images -> the classes of the thing they show, the most probable first;
    None where the network knows no such thing.

    >>> known_thing(np.float32([[0.6, 0.3, 0.1], [0.5, 0.1, 0.4]]))
    array([0])
    """
    summed = probabilities.sum(axis=0, dtype=np.float64)
    order = np.argsort(-summed, kind="stable")
    reached = np.cumsum(summed[order]) >= HALF * summed.sum()
    classes = order[: int(np.argmax(reached)) + 1]
    if len(classes) > FEW or sees(probabilities, classes).mean() < KNOWN:
        return None
    return classes


def sees(probabilities: Features, classes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Class probabilities [N, K] -> bool [N]: whether the classes together have more than CLEAR of it."""
    clear: NDArray[np.bool_] = probabilities[:, classes].sum(axis=1, dtype=np.float64) > CLEAR
    return clear


def thing_seen(
    train: Features,
    held_out: Features,
    samples: Features,
    *,
    names: Sequence[str] = (),
    laid_out: tuple[NDArray[np.bool_], NDArray[np.bool_]] | None = None,
) -> Seen | None:
    """Class probabilities [N, K] of training images, which choose the thing, of held-out ones and of the samples -> the
    shares in which it is seen; None where the network knows no such thing. names: of the classes, where known.

    laid_out: bool of the held-out images and of the samples: whether a layout is seen, without which no thing counts.
    """
    classes = known_thing(train)
    if classes is None:
        return None
    of_held_out, of_samples = sees(held_out, classes), sees(samples, classes)
    if laid_out is not None:
        of_held_out, of_samples = of_held_out & laid_out[0], of_samples & laid_out[1]
    return Seen(
        thing_words(classes, names),
        share_of(of_samples, "share of the samples in which the network sees what it sees in real images"),
        share_of(of_held_out, "the same share of held-out images"),
    )


def thing_words(classes: NDArray[np.int64], names: Sequence[str] = ()) -> str:
    """Classes as people say them: the kind that all are of, or the names of the most probable.

    >>> thing_words(np.array([281, 285]), class_names()), thing_words(np.array([985, 94]), class_names())
    ('a cat', 'what the network takes the real images for (daisy or hummingbird)')
    """
    if not names:
        return f"what the network sees in the real images ({len(classes)} of its classes)"
    for kind, ranges in _KINDS.items():
        if all(any(low <= number <= high for low, high in ranges) for number in classes.tolist()):
            return kind
    listed = [names[number] for number in classes[:_NAMED]]
    if len(classes) > _NAMED:
        called = f"{', '.join(listed)} or {len(classes) - _NAMED} more"
    else:
        called = " or ".join([", ".join(listed[:-1]), listed[-1]] if len(listed) > 1 else listed)
    return f"what the network takes the real images for ({called})"
