"""Every random draw of what is played goes through `sharing.drawn`: the source is read for any other."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from benchmarks import house

FILES = house.modules()
PLAYED = ("augment", "games", "models", "objectives", "penalties")  # rooms whose code runs inside a turn
ALSO = ("adversarial", "data.crop", "data.prior", "data.stream")
OF_TORCH = {
    *("rand", "randn", "randint", "randperm", "rand_like", "randn_like", "randint_like", "normal", "bernoulli"),
    *("multinomial", "poisson", "binomial", "rrelu", "gumbel_softmax", "fractional_max_pool2d"),
    *("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout"),
}
IN_PLACE = {
    *("uniform_", "normal_", "bernoulli_", "exponential_", "random_", "cauchy_", "geometric_", "log_normal_"),
    *("dropout_", "rrelu_", "alpha_dropout_"),
}
OTHERS = ("np.random.", "numpy.random.", "random.", "rng.", "distributions.", "torch.distributions.")
FREE = {  # module.function: draws that are not of images, or are shared out otherwise
    "games.parts.patch_nce.drawn_places": "places of a map, the same for all images",
    "games.parts.pool.Pool._mixed": "fed with the images of all processes, in the order of the global batch",
    "models.layers.feature_mixing.FeatureMixing._draw": "fixed weights",
    "models.layers.shared_dropout._SharedDropout._mask": "called inside drawn",
    "models.layers.spectral._start": "where the power iteration of a weight begins",
}


def draws(tree: ast.AST, free: tuple[str, ...] = ()) -> list[str]:
    """`line: call` of draws that are not inside `drawn(...)`, nor of a network's first weights (in `__init__`, or by
    nn.init), nor in a function named in `free`."""
    return [f"{node.lineno}: {ast.unparse(node.func)}" for node in _calls(tree, free)]


def _calls(tree: ast.AST, free: tuple[str, ...], inside: str = "") -> Iterator[ast.Call]:
    for node in ast.iter_child_nodes(tree):
        within = inside
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            within = f"{inside}.{node.name}" if inside else node.name
            if node.name == "__init__" or within in free:
                continue
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in ("drawn", "sharing.drawn"):
                continue
            if draws_numbers(called):
                yield node
        yield from _calls(node, free, within)


def draws_numbers(called: str) -> bool:
    """Whether a function of this name, as written in the source, is random."""
    root, _, name = called.rpartition(".")
    of_torch = root in ("torch", "F", "functional", "nn.functional", "torch.nn.functional")
    in_place = name in IN_PLACE and root not in ("nn.init", "init")
    return (of_torch and name in OF_TORCH) or in_place or called.startswith(OTHERS)


def free_in(module: str) -> tuple[str, ...]:
    return tuple(name.removeprefix(f"{module}.") for name in FREE if name.startswith(f"{module}."))


@pytest.mark.parametrize("module", [m for m in FILES if m in ALSO or m.partition(".")[0] in PLAYED])
def test_no_draw_but_for_the_global_batch(module: str) -> None:
    assert draws(ast.parse(FILES[module].read_text()), free_in(module)) == []


def test_what_is_free_is_there() -> None:
    """An entry of FREE that no longer draws is taken out."""
    for name in FREE:
        module = max((m for m in FILES if name.startswith(f"{m}.")), key=len)
        others = tuple(free for free in free_in(module) if f"{module}.{free}" != name)
        assert draws(ast.parse(FILES[module].read_text()), others), name


@pytest.mark.parametrize(
    ("code", "seen"),
    [
        ("def play(batch, at):\n    return torch.rand(len(batch), generator=at.rng)", ["2: torch.rand"]),
        ("def play(x):\n    return x + torch.randn_like(x)", ["2: torch.randn_like"]),
        ("def play(batch):\n    return np.random.permutation(len(batch))", ["2: np.random.permutation"]),
        ("def forward(self, x):\n    return F.dropout(x, 0.5)", ["2: F.dropout"]),
        ("def play(x):\n    return torch.empty(3).uniform_()", ["2: torch.empty(3).uniform_"]),
        ("def play(x):\n    return drawn(lambda n: torch.rand(n), len(x))", []),
        ("class Net:\n    def __init__(self):\n        self.weight = torch.randn(3)", []),
        ("def start(module):\n    nn.init.normal_(module.weight)", []),
    ],
)
def test_a_draw_is_seen(code: str, seen: list[str]) -> None:
    assert draws(ast.parse(code)) == seen
