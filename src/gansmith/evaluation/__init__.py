"""Evaluation of generated images: metrics and tests on feature matrices, usable without any run.

    from gansmith.evaluation import fid, kid
    fid(real_features, fake_features).value

The names below are imported from the files named after them when they are first used; importing this package imports
neither torch nor scipy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gansmith.evaluation.metrics.authenticity import authenticity
    from gansmith.evaluation.metrics.class_error import class_error
    from gansmith.evaluation.metrics.class_histogram import class_histogram
    from gansmith.evaluation.metrics.classification_accuracy import classification_accuracy
    from gansmith.evaluation.metrics.density_coverage import density_coverage
    from gansmith.evaluation.metrics.fid import fid
    from gansmith.evaluation.metrics.fid_infinity import fid_infinity
    from gansmith.evaluation.metrics.inception_score import inception_score
    from gansmith.evaluation.metrics.kid import kid, kid_subsets, kid_test
    from gansmith.evaluation.metrics.lpips_diversity import lpips_diversity
    from gansmith.evaluation.metrics.precision_recall import precision_recall
    from gansmith.evaluation.metrics.spectrum import spectral_traces
    from gansmith.evaluation.metrics.vendi import vendi
    from gansmith.evaluation.perceptual_path import path_length

_HOMES = {
    "authenticity": "gansmith.evaluation.metrics.authenticity",
    "class_error": "gansmith.evaluation.metrics.class_error",
    "class_histogram": "gansmith.evaluation.metrics.class_histogram",
    "classification_accuracy": "gansmith.evaluation.metrics.classification_accuracy",
    "density_coverage": "gansmith.evaluation.metrics.density_coverage",
    "fid": "gansmith.evaluation.metrics.fid",
    "fid_infinity": "gansmith.evaluation.metrics.fid_infinity",
    "inception_score": "gansmith.evaluation.metrics.inception_score",
    "kid": "gansmith.evaluation.metrics.kid",
    "kid_subsets": "gansmith.evaluation.metrics.kid",
    "kid_test": "gansmith.evaluation.metrics.kid",
    "lpips_diversity": "gansmith.evaluation.metrics.lpips_diversity",
    "path_length": "gansmith.evaluation.perceptual_path",
    "precision_recall": "gansmith.evaluation.metrics.precision_recall",
    "spectral_traces": "gansmith.evaluation.metrics.spectrum",
    "vendi": "gansmith.evaluation.metrics.vendi",
}
__all__ = [
    "authenticity",
    "class_error",
    "class_histogram",
    "classification_accuracy",
    "density_coverage",
    "fid",
    "fid_infinity",
    "inception_score",
    "kid",
    "kid_subsets",
    "kid_test",
    "lpips_diversity",
    "path_length",
    "precision_recall",
    "spectral_traces",
    "vendi",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'gansmith.evaluation' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
