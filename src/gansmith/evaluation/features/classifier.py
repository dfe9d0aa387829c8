"""Features and classes of a classification run of one's own, for images unlike ImageNet's.

Such a network has `features(images) -> [B, D]` and gives logits [B, K] when called, of images float32 in [-1, 1] at the
size and with the channels that it was trained on. Its features depend on what it was trained on: its numbers compare
generators with each other, and with nothing published.
"""

from __future__ import annotations

from torch import Tensor, nn

from gansmith import catalog
from gansmith.adversarial import Dimensions
from gansmith.errors import OptionError, RunError
from gansmith.evaluation import preprocess
from gansmith.evaluation.types import Extractor, Outputs
from gansmith.models import saved
from gansmith.pretrained.weights import content_of, identity
from gansmith.system.device import choose_device
from gansmith.system.paths import expanded
from gansmith.system.seeding import seeded

PLAYER = "classifier"
NEEDS = {"given": "a classification run: --weights RUN"}


def build(*, weights: str | None = None, device: str = "auto", trust_model: bool = False) -> Extractor:
    """Features [B, D] and logits [B, K]; `weights` is a run's folder, its `model/`, or a `classifier.safetensors`.

    trust_model: the model may be code from outside gansmith. Raises OptionError without `weights`, RunError when there
    is no classifier, or one without features.

    >>> try:
    ...     build()
    ... except OptionError as error:
    ...     print("--weights RUN" in str(error))
    True
    """
    if weights is None:
        raise OptionError(
            "the extractor classifier is a classification run of yours: say which with --weights RUN "
            "(train one: gansmith train DATA --recipe darknet_fashion)"
        )
    path = expanded(weights)
    try:
        network, card = saved.load(path / "model" if (path / "model").is_dir() else path, PLAYER, trust=trust_model)
    except RunError as error:
        raise RunError(
            f"{path} is no classification run ({error}). Train one: gansmith train DATA --recipe darknet_fashion"
        ) from None
    if not callable(getattr(network, "features", None)):
        raise RunError(
            f"the classifier of {path} (model {card.model}) has no `features(images)`, which are needed here"
        )
    return wrap(network, card.dimensions, classes=card.classes, device=device)


def untrained(*, device: str = "auto") -> Extractor:
    """The extractor of an untrained classifier of ten classes of grey images, for tests.

    >>> untrained(device="cpu").classes[:3]
    ('0', '1', '2')
    """
    dimensions = Dimensions(1, 28, 28, 1, 10)
    with seeded("classifier untrained"):
        network = catalog.build("models", "mnist_net", dimensions, factory=PLAYER)
    return wrap(network, dimensions, classes=tuple("0123456789"), device=device)


def wrap(
    network: nn.Module, dimensions: Dimensions, *, classes: tuple[str, ...] = (), device: str = "auto"
) -> Extractor:
    """The extractor of a network that has `features`, built for images of `dimensions`."""
    where = choose_device(device)
    size = (dimensions.height, dimensions.width)
    digest = content_of(network)
    network = network.eval().requires_grad_(False).to(where)
    head = getattr(network, "head", None)  # where there is one, the features are not computed twice

    def run(images: Tensor) -> Outputs:
        levels = preprocess.resize(preprocess.to_channels(preprocess.levels(images), dimensions.channels), size)
        scaled = levels / 127.5 - 1
        features = network.features(scaled)  # type: ignore[operator]
        return Outputs(features.float(), (network(scaled) if head is None else head(features)).float())

    return Extractor(
        name=PLAYER,
        digest=identity(digest),
        prepared=preprocess.words(size, dimensions.channels),
        run=run,
        device=where,
        batch=64,
        classes=classes or None,
    )
