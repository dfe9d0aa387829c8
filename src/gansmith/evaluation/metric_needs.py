"""Requirements of metrics on the two sides, checked before anything is measured, so that a mistake costs no time."""

from __future__ import annotations

from collections.abc import Mapping

from gansmith.errors import OptionError
from gansmith.evaluation.types import Extractor, Metric


def reads_features(metrics: Mapping[str, Metric]) -> bool:
    """Whether any of the metrics {name: metric} reads what an extractor computes."""
    return any({"features", "probabilities"} & set(metric.needs) for metric in metrics.values())


def require_unlabelled(metrics: Mapping[str, Metric], *, labelled: bool = False) -> None:
    """Raises OptionError for a metric that reads labels of samples, which have none, and for one of a classifier's
    answers. labelled: these samples have labels."""
    for name, metric in metrics.items():
        needs = set(metric.needs)
        if {"probabilities", "labels"} <= needs:
            raise OptionError(f"the metric {name} is of a classifier's answers, and these are samples. Leave it out")
        if "labels" in needs and not labelled:
            raise OptionError(
                f"the metric {name} needs the classes of the images, and these samples have none. Leave it out; it is "
                f"measured while training (metrics.names), and of conditional runs by gansmith compare"
            )


def require_classes(metrics: Mapping[str, Metric], extractor: Extractor) -> None:
    """Raises OptionError for a metric that reads class probabilities, where the extractor has no classes."""
    for name, metric in metrics.items():
        if "probabilities" in metric.needs and not extractor.classes:
            raise OptionError(
                f"the metric {name} needs an extractor with classes, and {extractor.name} has none. "
                f"Choose another with --features"
            )


def require_counts(metrics: Mapping[str, Metric], *, real: int, samples: int) -> None:
    """Raises OptionError for a metric that needs more images than one of the sides has."""
    for name, metric in metrics.items():
        if min(real, samples) < metric.least:
            fewer = f"{real:,} real images" if real < samples else f"{samples:,} samples"
            raise OptionError(
                f"the metric {name} needs at least {metric.least:,} images a side, and there are {fewer}. "
                f"Leave it out, or give more"
            )
