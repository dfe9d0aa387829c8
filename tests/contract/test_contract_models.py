"""Every model of the catalog, at every size: it builds, or says why not. A new file is tested the moment it exists."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from declared import declared, fitted
from gansmith import catalog
from gansmith.adversarial import Dimensions
from gansmith.catalog import ROLES
from gansmith.errors import ExperimentError, GansmithError
from gansmith.system.seeding import seeded

SIZES = [
    Dimensions(1, 8, 8, 5),
    Dimensions(3, 32, 32, 7, 10),
    Dimensions(4, 12, 20, 6, 3),
    Dimensions(3, 28, 28, 4),
    Dimensions(2, 1, 1, 3),
    Dimensions(3, 5, 9, 4),
]
ENTRIES = [(name, role) for role in ROLES for name in catalog.names("models", role)]
SMALL = {"width": 4, "depth": 1}  # options that make a network small, where it has them
SMALL_OF: dict[str, dict[str, Any]] = {  # where these are not its least
    "wrn": {"depth": 10, "widen": 1},
    "projected": {"width": 4, "network": "untrained", "resolution": 64},
}
VERB = {"classifier": "read"}  # what a network that refuses a size cannot do with it; else "make"
OPTIONS = {(name, role): catalog.keyword_options(catalog.find("models", name, role)) for name, role in ENTRIES}
LABELLED = [entry for entry in ENTRIES if "conditional" in OPTIONS[entry]]  # networks that classes can be added to


def sizes(name: str, role: str) -> list[Dimensions]:
    """SIZES, and two that the model declares. A classifier needs classes to tell apart, and so does a network that is
    built for them."""
    needed = role == "classifier" or ((name, role.removesuffix("+")) in LABELLED and role.endswith("+"))
    every = dict.fromkeys([*SIZES, *(fitted(name, size) for size in (SIZES[0], SIZES[2]))])
    return [size._replace(classes=size.classes or 3) if needed else size for size in every]


def usual(name: str) -> Dimensions:
    """32 x 32 with ten classes, or the nearest larger size that the model declares."""
    return fitted(name, SIZES[1])


def build(name: str, role: str, size: Dimensions, seed: int = 0) -> nn.Module:
    """`role+` is the network of that role with classes."""
    role, conditional = role.removesuffix("+"), role.endswith("+")
    function = catalog.find("models", name, role)
    small = SMALL_OF.get(name, {k: v for k, v in SMALL.items() if k in catalog.keyword_options(function)})
    if (name, role) in LABELLED:
        small = {**small, "conditional": conditional}
    with seeded(seed):
        network = catalog.build("models", name, size, factory=role, **small)
    assert isinstance(network, nn.Module)
    return network


def refusal(name: str, role: str, size: Dimensions) -> str | None:
    try:
        build(name, role, size)
    except ExperimentError as error:
        return str(error)
    return None


WAYS = [*ENTRIES, *((name, f"{role}+") for name, role in LABELLED)]
EVERY = [(name, role, size) for name, role in WAYS for size in sizes(name, role)]
REFUSED = {case: text for case in EVERY if (text := refusal(*case)) is not None}
ABLE = [case for case in EVERY if case not in REFUSED]
CLASSIFIERS = [(name, role, size) for name, role, size in ABLE if role == "classifier"]


def label(case: tuple[str, str, Dimensions]) -> str:
    name, role, size = case
    return f"{name}-{role}-{size.channels}x{size.height}x{size.width}"


@pytest.fixture(params=ABLE, ids=label)
def case(request: pytest.FixtureRequest) -> tuple[nn.Module, str, str, Dimensions]:
    name, role, size = request.param
    return build(name, role, size), name, role, size


@pytest.mark.parametrize("case", REFUSED, ids=label)
def test_a_size_that_cannot_be_made_is_refused_in_words(case: tuple[str, str, Dimensions]) -> None:
    name, role, size = case
    assert REFUSED[case].startswith(f"{name} cannot {VERB.get(role, 'make')} {size.height}x{size.width} images: ")
    assert "Set --size" in REFUSED[case]


def inputs(role: str, size: Dimensions, n: int = 4, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor | None]:
    rng = torch.Generator().manual_seed(1)
    shape = (n, size.latent) if role.startswith("generator") else (n, *size[:3])
    given = torch.rand(shape, generator=rng, dtype=dtype) * 2 - 1
    return given, torch.randint(size.classes, (n,), generator=rng) if size.classes else None


def bounded(network: nn.Module) -> bool:
    return any(isinstance(module, nn.Tanh) for module in network.modules())


def test_outputs(case: tuple[nn.Module, str, str, Dimensions]) -> None:
    network, _, role, size = case
    given, labels = inputs(role, size)
    for given_labels in (labels,) if role.endswith("+") else (labels, None):
        found = network(given, given_labels)
        assert found.dtype == torch.float32
        assert bool(torch.isfinite(found).all())
        if role.removesuffix("+") in ("generator", "translator", "autoencoder"):
            assert found.shape == (4, *size[:3])
            assert not bounded(network) or float(found.detach().abs().max()) <= 1
        elif role.startswith("discriminator"):
            assert found.shape[0] == 4  # raw scores [B, ...]
            assert not isinstance([*network.modules()][-1], (nn.Sigmoid, nn.Tanh))
        else:
            assert found.shape == (4, size.classes)


@pytest.mark.parametrize("case", CLASSIFIERS, ids=label, indirect=True)
def test_a_classifier_is_a_head_on_its_features(case: tuple[nn.Module, str, str, Dimensions]) -> None:
    """features: [B, D] of images [B, C, H, W]; the head, one linear layer, makes the logits of them."""
    network, _, role, size = case
    given, labels = inputs(role, size)
    network.eval()
    features: Tensor = network.features(given)  # type: ignore[operator]
    assert isinstance(network.head, nn.Linear)
    assert features.shape == (4, network.head.in_features)
    torch.testing.assert_close(network.head(features), network(given, labels), rtol=0, atol=0)
    assert network.head is [*network.modules()][-1]  # no softmax behind it


@pytest.mark.parametrize("classes", [0, 1])
@pytest.mark.parametrize("name", catalog.names("models", "classifier"))
def test_a_classifier_without_classes_is_refused(name: str, classes: int) -> None:
    why = ["labels are needed, and these images have none", "these images are all of one class"][classes]
    with pytest.raises(ExperimentError, match=f"^{name} is a classifier.*{why}"):
        build(name, "classifier", usual(name)._replace(classes=classes))


def test_images_do_not_see_each_other_in_evaluation(case: tuple[nn.Module, str, str, Dimensions]) -> None:
    network, _, role, size = case
    network.eval()
    given, labels = inputs(role, size)
    with torch.no_grad():
        whole = network(given, labels)
        alone = torch.cat([network(given[i : i + 1], None if labels is None else labels[i : i + 1]) for i in range(4)])
    torch.testing.assert_close(whole, alone, rtol=1e-4, atol=1e-5)


def test_weights_depend_on_the_seed_alone(case: tuple[nn.Module, str, str, Dimensions]) -> None:
    network, name, role, size = case
    torch.rand(7)
    again, other = build(name, role, size), build(name, role, size, seed=1)
    state = network.state_dict()
    for key, value in again.state_dict().items():
        assert torch.equal(value, state[key])
    assert any(not torch.equal(value, state[key]) for key, value in other.state_dict().items())


def test_the_state_is_complete(case: tuple[nn.Module, str, str, Dimensions]) -> None:
    network, name, role, size = case
    given, labels = inputs(role, size)
    network(given, labels)  # moves batch statistics
    other = build(name, role, size, seed=1)
    other.load_state_dict(network.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(other.eval()(given, labels), network.eval()(given, labels), rtol=0, atol=0)


def test_float64_and_a_gradient_for_every_parameter(case: tuple[nn.Module, str, str, Dimensions]) -> None:
    network, _, role, size = case
    network.double()
    given, labels = inputs(role, size, dtype=torch.float64)
    given.requires_grad_()
    found = network(given, labels)
    assert found.dtype == torch.float64
    weight = torch.rand(found.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    total = (found * weight).sum()
    if getattr(network, "own_terms", ()):
        total = total + sum(network(given, labels, own=torch.Generator())[1].values())
    total.backward()
    lost = [key for key, p in network.named_parameters() if p.requires_grad and p.grad is None]
    assert lost == []
    assert given.grad is not None
    assert bool((given.grad != 0).any())


SUPERVISED = [case for case in ABLE if getattr(build(*case), "own_terms", ())]


@pytest.mark.parametrize("case", SUPERVISED, ids=label, indirect=True)
def test_terms_of_its_own_are_scalars_beside_the_same_scores(case: tuple[nn.Module, str, str, Dimensions]) -> None:
    network, _, role, size = case
    given, labels = inputs(role, size)
    network.eval()
    scores, own = network(given, labels, own=torch.Generator().manual_seed(1))
    torch.testing.assert_close(scores, network(given, labels), rtol=0, atol=0)
    assert own.keys() == {*network.own_terms}  # type: ignore[misc]
    again = network(given, labels, own=torch.Generator().manual_seed(1))[1]
    for name, term in own.items():
        assert term.shape == ()
        assert term.dtype == torch.float32
        assert bool(torch.isfinite(term))
        assert torch.equal(term, again[name])


@pytest.mark.parametrize("case", EVERY, ids=label)
def test_a_size_that_the_file_declares_is_not_refused(case: tuple[str, str, Dimensions]) -> None:
    name, _, size = case
    if fitted(name, size) == size:
        assert case not in REFUSED


@pytest.mark.parametrize(("name", "role"), ENTRIES)
def test_the_smallest_size_is_declared_for_the_default_options(name: str, role: str) -> None:
    """Each network builds there and one multiple above; below it, one network of the file at least is refused."""
    smallest, multiple = declared(name)
    assert smallest % multiple == 0
    least = Dimensions(3, smallest, smallest, 8, 3)
    with torch.device("meta"):  # shapes alone, whatever the width
        for size in (least, least._replace(width=smallest + multiple)):
            assert isinstance(catalog.build("models", name, size, factory=role), nn.Module)
        if smallest > 1:
            roles = [other for model, other in ENTRIES if model == name]
            below = least._replace(height=max(1, smallest - multiple))
            assert any(raises(name, other, below) for other in roles)


def raises(name: str, role: str, size: Dimensions) -> bool:
    try:
        catalog.build("models", name, size, factory=role)
    except ExperimentError:
        return True
    return False


@pytest.mark.parametrize(("name", "role"), LABELLED)
def test_a_network_with_classes_says_what_it_lacks(name: str, role: str) -> None:
    """Built where there are none it is refused; built with them it says so and does not do without."""
    with pytest.raises(ExperimentError, match=f"{name}.*label"):
        build(name, f"{role}+", usual(name)._replace(classes=0))
    network = build(name, f"{role}+", usual(name))
    assert network.conditional is True
    assert not getattr(build(name, role, usual(name)), "conditional", False)
    given, labels = inputs(role, usual(name))
    with pytest.raises(GansmithError, match="label"):
        network(given)
    assert labels is not None
    with torch.no_grad():
        network.train()
        for parameter in network.parameters():  # what begins at zero says nothing yet
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(3)))
        first, second = (network.eval()(given, which) for which in (labels, (labels + 1) % usual(name).classes))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("name", [name for name, role in LABELLED if role == "generator"])
def test_a_generator_takes_shares_of_classes_for_a_label(name: str) -> None:
    """One class alone is its label to the bit; a blend is neither, and goes from one to the other."""
    network = build(name, "generator+", usual(name)).eval()
    with torch.no_grad():
        for parameter in network.parameters():  # what begins at zero says nothing yet
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(3)))
        (given, _), classes = inputs("generator", usual(name)), usual(name).classes
        first, second = torch.eye(classes)[0].expand(len(given), -1), torch.eye(classes)[1].expand(len(given), -1)
        ends = [network(given, torch.full((len(given),), label)) for label in (0, 1)]
        assert torch.equal(network(given, first), ends[0])
        assert torch.equal(network(given, second), ends[1])
        near, far = (network(given, (1 - share) * first + share * second) for share in (1e-4, 0.5))
        assert 0 < (near - ends[0]).abs().max() < (far - ends[0]).abs().max()


def test_unknown_options_are_refused() -> None:
    from gansmith.errors import OptionError

    for name, role in ENTRIES:
        with pytest.raises(OptionError, match=f"^models/{name} has no option 'wdith'"):
            catalog.build("models", name, usual(name), factory=role, wdith=3)
