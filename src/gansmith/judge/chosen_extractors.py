"""The extractors of an audit, as its options name them: the main one, the one that finds copies, the classifier."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from gansmith import catalog
from gansmith.errors import GansmithError, OptionError
from gansmith.evaluation.types import Extractor
from gansmith.judge.evidence import Extractors

BEST_FIRST = ("inception", "dinov2", "mobilenet")  # `auto` takes the first whose weights are here, else pixels


def extractors_of(
    features: str,
    weights: str | None,
    classifier: str | None,
    *,
    options: Mapping[str, Any],
    device: str,
    trust: bool,
) -> Extractors:
    """Those of an audit: features and their options, the classifier of a run where one is named. Raises as they do."""
    main = choose(features, weights, options=options, device=device, trust=trust)
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
) -> Extractor:
    """The extractor called `name`, or for `auto` the first whose weights are here, with further options of its file.
    Raises as the extractors do."""
    given: dict[str, Any] = {"weights": weights, "device": device}
    if name == "auto" and weights is not None:
        raise OptionError(f"--weights {weights} belongs to an extractor: say which, for example --features mobilenet")
    if name == "auto":
        for candidate in BEST_FIRST:
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
