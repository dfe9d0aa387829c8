"""The extractors of an audit, as its options name them: the main one, the one that finds copies, the classifier."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any

from gansmith import catalog
from gansmith.errors import GansmithError, OptionError
from gansmith.evaluation.types import Extractor
from gansmith.judge.evidence import Extractors

BEST_FIRST = ("inception", "dinov2", "mobilenet")  # `auto` takes the first whose weights are here, else pixels
INSTEAD = "vgg"  # the next, where samples were trained on one of these


def extractors_of(
    features: str,
    weights: str | None,
    classifier: str | None,
    *,
    options: Mapping[str, Any],
    device: str,
    trust: bool,
    own: Collection[str] = (),
) -> Extractors:
    """Those of an audit: features and their options, the classifier of a run where one is named. own: the networks that
    the judged samples were trained on. Raises as they do."""
    main = choose(features, weights, options=options, device=device, trust=trust, own=own)
    copies: Extractor = catalog.build("features", "pixels", device=device)  # the best for copies: docs/memorisation.md
    counting = main if main.name == "classifier" else None
    if classifier is not None:
        counting = catalog.build("features", "classifier", weights=classifier, device=device, trust_model=trust)
    return Extractors(main, copies, counting)


def choose(
    name: str,
    weights: str | None,
    *,
    options: Mapping[str, Any] | None = None,
    device: str = "auto",
    trust: bool = False,
    own: Collection[str] = (),
) -> Extractor:
    """The extractor called `name`, or for `auto` the first whose weights are here and that is not among `own`, the
    networks that the judged samples were trained on; with further options of its file. Raises as the extractors do."""
    given: dict[str, Any] = {"weights": weights, "device": device}
    if name == "auto" and weights is not None:
        raise OptionError(f"--weights {weights} belongs to an extractor: say which, for example --features mobilenet")
    if name == "auto":
        for candidate in _candidates(own):
            with suppress(GansmithError):  # its weights, or the extra that reads them, are not here
                extractor: Extractor = catalog.build("features", candidate, **given)
                if not options:
                    return extractor
                name = candidate
                break
        else:
            name = "pixels"
    if name == "classifier":
        given["trust_model"] = trust
    built: Extractor = catalog.build("features", name, **{**given, **(options or {})})
    return built


def _candidates(own: Collection[str]) -> list[str]:
    """The extractors that `auto` tries, the best first."""
    return [name for name in (*BEST_FIRST, *([INSTEAD] if own else [])) if name not in own]


def why_chosen(extractor: Extractor, own: Collection[str], who: str = "These samples were") -> list[str]:
    """What a reader must know where samples were trained on networks, as sentences; none where they were on none."""
    if not own:
        return []
    names = " and ".join(sorted(own))
    if extractor.name in own:
        return [
            f"{who} trained on the features of {names}, which judges them here: what looks good to it need not look "
            f"good. Nothing is called good by it. Another network: gansmith features install {INSTEAD}, and leave "
            f"--features out."
        ]
    said = f"{who} trained on the features of {names}, which therefore does not judge them: {extractor.name} does."
    if extractor.name == "pixels":
        said = f"{said} Another network would see more: gansmith features install {INSTEAD}."
    return [said]
