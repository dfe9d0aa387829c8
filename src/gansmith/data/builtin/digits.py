"""Handwritten digits, 1,797 of 8x8 grey pixels in 10 classes; part of scikit-learn, so it is always available.

Alpaydin and Kaynak 1998, "Optical Recognition of Handwritten Digits" (its test set), by way of
`sklearn.datasets.load_digits`.
"""

from __future__ import annotations

import numpy as np

from gansmith.data.array_source import ArraySource


def build() -> ArraySource:
    """uint8 [8, 8, 1]: the file's 0..16 as 0..255. Trained on at 32x32, as 8x8 is too small for convolutions.

    >>> digits = build()
    >>> len(digits), digits[0].image.shape, digits[0].label
    (1797, (8, 8, 1), 0)
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = np.rint(bunch.images * (255 / 16)).astype(np.uint8)[..., None]
    labels = bunch.target.astype(np.int64)
    return ArraySource(images, labels, name="digits", classes=tuple("0123456789"), size=(32, 32))
