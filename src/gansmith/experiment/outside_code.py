"""Code from outside gansmith that an experiment names (`my_lab.spiral`), and which of it may be imported.

Importing is executing. A name given by hand, on the command line or in Python, is the user's own; a name in a file,
which may be somebody else's, is refused by the catalog unless the file is opened with `trust`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gansmith import catalog
from gansmith.experiment.schema import PARTS, Experiment
from gansmith.models import saved

BY_HAND = ("arguments", "--set")  # the layers of settings that come from no file


def vouch(experiment: Experiment, sources: Mapping[str, str] | None = None, *, trust: bool = False) -> None:
    """Allow the import of the outside names of an experiment: of those given by hand, or with `trust` of all.

    sources: {dotted field: layer}, as `layers.resolve` returns it.
    """
    for path, names in outside_names(experiment).items():
        if trust or (sources or {}).get(path) in BY_HAND:
            catalog.vouch(names)


def outside_names(experiment: Experiment) -> dict[str, list[str]]:
    """{dotted field: the names in it that stand for code from outside gansmith}.

    An extractor's `trust_model` stands for the names in the card of its model.
    """
    parts = {f"{path}.name": getattr(experiment, path) for path in PARTS}
    names = {path: [part.name] for path, part in parts.items() if part is not None}
    features = experiment.metrics.features
    names["data.format"] = [experiment.data.format or ""]
    names["metrics.names"] = list(experiment.metrics.names)
    names["metrics.features.name"] = [features.name]
    if features.options.get("trust_model"):
        names["metrics.features.trust_model"] = saved.models_named_in(Path(str(features.options.get("weights"))))
    dotted = {path: [name for name in some if "." in name] for path, some in names.items()}
    return {path: some for path, some in dotted.items() if some}
