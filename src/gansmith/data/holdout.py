"""The hold-out: images that are never trained on. Which images must fall on one side together, and the draw.

The draw depends on the seed and on the positions of the images alone: it is the same on every machine and for every
numbering of the groups.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gansmith.errors import DataError, OptionError
from gansmith.system.seeding import mix

Indices = NDArray[np.int64]
Sides = tuple[Indices, Indices]  # (indices to train on, indices held out)

SEED = 0  # of the hold-out and of the share that is used: another seed of training sees the same images
ENOUGH = 20  # images: from here on a share above 0 holds out at least one
SHARE = 0.05  # that `auto` holds out of a large set, and of points
FEWEST = 125  # images that it holds out of a smaller one, but at most a quarter: copies that make up 5 % of the samples
# are then noticed with probability .85 (docs/memorisation.md)


def share_held_out(asked: float | Literal["auto"], count: int, *, points: bool = False) -> float:
    """The share of `count` images that is held out: the one asked for, or for `auto` what the tests of an audit need.

    `auto` of a set of points, which no audit reads, is SHARE. Otherwise a share in the fewest digits that is SHARE, or
    FEWEST images where that is more, or a quarter where that is fewer.

    >>> [share_held_out("auto", count) for count in (100, 500, 1797, 2500, 50_000)], share_held_out(0.1, 500)
    ([0.25, 0.25, 0.0696, 0.05, 0.05], 0.1)
    """
    if asked != "auto":
        return asked
    if points or not count:
        return SHARE
    wanted = max(round(SHARE * count), min(FEWEST, count // 4))
    shares = (round(wanted / count, digits) for digits in range(2, 17))
    return next((share for share in shares if round(share * count) == wanted), wanted / count)


def split(count: int, share: float, groups: Indices, seed: int) -> Sides:
    """(indices to train on, indices held out), both ascending, together 0 .. count - 1; no group on both sides.

    `groups` int64 [count]: equal numbers stay together. Groups are drawn in random order; one that is bigger than the
    room left is passed over, so the number held out is as near to share * count as that allows.
    """
    if len(groups) != count:
        raise OptionError(f"{count} images but {len(groups)} group numbers")
    if not 0 <= share < 1:
        raise OptionError(f"the share held out must be at least 0 and less than 1, not {share}")
    everything = np.arange(count, dtype=np.int64)
    wanted = round(share * count)
    if share > 0 and count >= ENOUGH:
        wanted = max(1, wanted)
    if wanted == 0:
        return everything, everything[:0]
    _, first, group, sizes = np.unique(groups, return_index=True, return_inverse=True, return_counts=True)
    order = sorted(range(len(sizes)), key=lambda number: mix("holdout", seed, int(first[number])))
    chosen: set[int] = set()
    room = wanted
    for number in order:
        if sizes[number] <= room:
            chosen.add(number)
            room -= int(sizes[number])
    over = min((number for number in order if number not in chosen), key=lambda number: sizes[number], default=None)
    # What is left over is bigger than the room. The smallest is still taken where that comes nearer, or gives any.
    if over is not None and len(chosen) + 1 < len(sizes) and (not chosen or sizes[over] - room < room):
        chosen.add(over)
    held_out = np.isin(group, sorted(chosen))
    return everything[~held_out], everything[held_out]


def split_domains(
    share: float, subjects: tuple[Indices, ...], groups: tuple[Indices, ...], seed: int
) -> tuple[Sides, ...]:
    """`split` of one domain, or of two at once: one subject, or one group, falls on one side in both domains.

    subjects, groups: int64 [A] and [B]; equal numbers, in one domain or across both, are one subject, or one group.
    Subjects are drawn, each once, so that the share of each domain is near to `share` and not exactly it. Domains that
    have neither a subject nor a group in common are split each by itself.
    """
    if not any(len(numbers) == 2 and np.isin(numbers[0], numbers[1]).any() for numbers in (subjects, groups)):
        return tuple(split(len(own), share, own, seed) for own in groups)
    _, subject = np.unique(np.concatenate(subjects), return_inverse=True)
    _, group = np.unique(np.concatenate(groups), return_inverse=True)
    count = int(subject.max()) + 1
    # Subjects and groups are the nodes of one graph, each image an edge between its own: components stay together
    nodes = count + int(group.max()) + 1
    links = coo_array((np.ones(len(subject), bool), (subject, count + group)), (nodes, nodes))
    together = connected_components(links, directed=False)[1][:count].astype(np.int64)
    _, held_out = split(count, share, together, seed)
    out = np.split(np.isin(subject, held_out), [len(subjects[0])])
    return tuple((np.flatnonzero(~own), np.flatnonzero(own)) for own in out)


def groups_by(
    rule: str,
    *,
    keys: Sequence[str],
    labels: Indices | None = None,
    similar: Callable[[], Indices] | None = None,
) -> Indices:
    """The group of each image, int64 [N].

    rule      'similar' (near-duplicates), 'class', 'file' (images of one file: each alone in most sets), or
              'name:REGEX': images whose names give the same first capture group, or the same whole match
    similar   finds the groups of near-duplicates; called only when the rule asks for it

    A name that REGEX does not match is a group of its own. Raises OptionError when it matches none, or for 'class'
    without classes.
    """
    if rule == "similar":
        assert similar is not None
        return similar()
    if rule == "class":
        if labels is None:
            raise OptionError(
                "the hold-out cannot go by class: these images have none (folders inside the folder are classes). "
                "Use --holdout-by similar, file or name:REGEX"
            )
        return labels
    if rule == "file":
        return _numbered([(key,) for key in keys])
    if rule.startswith("name:"):
        return _by_name(rule[5:], keys)
    raise OptionError(f"no such hold-out rule: {rule!r}. Known: similar, class, file, name:REGEX")


def _by_name(pattern: str, keys: Sequence[str]) -> Indices:
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise OptionError(f"{pattern!r} is not a regular expression: {error}") from None
    words: list[tuple[object, ...]] = []
    matched = 0
    for index, key in enumerate(keys):
        match = expression.search(key)
        if match is None:
            words.append((index,))
            continue
        matched += 1
        words.append(("matched", match[1] if expression.groups and match[1] is not None else match[0]))
    if keys and not matched:
        sample = ", ".join(repr(key) for key in keys[:3])
        raise OptionError(f"--holdout-by name:{pattern} matches no name; names look like {sample}")
    return _numbered(words)


def _numbered(words: Sequence[tuple[object, ...]]) -> Indices:
    """Equal words -> equal numbers, in the order of their first appearance."""
    numbers: dict[tuple[object, ...], int] = {}
    return np.array([numbers.setdefault(word, len(numbers)) for word in words], dtype=np.int64)


def nothing_left(count: int, groups: Indices) -> DataError:
    """The error when every image would be held out, or training would have none."""
    return DataError(
        f"the hold-out leaves nothing to train on: {count:,} images in {len(np.unique(groups)):,} groups. "
        f"Use fewer (--holdout 0.05, or 0 for none) or another rule (--holdout-by)"
    )
