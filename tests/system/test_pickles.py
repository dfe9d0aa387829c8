"""Nothing that arrives from a disk or another process is unpickled: the source is read for whatever pickles."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from benchmarks import house

FILES = house.modules()
MODULES = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
PARTS = ("multiprocessing.reduction", "torch.package", "torch.serialization")
LAST = {"load", "save", *(part.rpartition(".")[2] for part in PARTS)}  # words of the names that are looked for
OBJECTS = {  # of torch.distributed: they pickle what they send, and unpickle what arrives
    *("all_gather_object", "gather_object", "broadcast_object_list", "scatter_object_list"),
    *("send_object_list", "recv_object_list"),
}
NAMES = OBJECTS | {"ForkingPickler", "Pickler", "Unpickler", "unsafe_load"}
FREE = {  # module: {what it uses: why that executes nothing of others}
    "data.worker_errors": {
        "multiprocessing.reduction": "errors of a worker, a child of this process, from multiprocessing's own pipe",
        "ForkingPickler": "the same",
    },
    "training.checkpoint": {
        "torch.load": "weights_only: numbers, strings, tensors; what names code is refused",
        "torch.save": "writes what that reads",
    },
    "pretrained.weights": {"torch.load": "weights_only, of bytes whose sha256 is known"},
    "evaluation.features.inception": {"torch.save": "tensors that were read so, written anew for torch-fidelity"},
    "runs.time_budget": {"torch.save": "to nowhere: how long a checkpoint takes"},
}


def pickles(tree: ast.AST) -> set[str]:
    """What a file uses that pickles or unpickles: modules and names, however they are imported or written."""
    return set(_pickles(tree))


def _pickles(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [alias.name for alias in node.names]
            base = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            for name in [base, *names, *(f"{base}.{name}" for name in names)]:
                if name.partition(".")[0] in MODULES or name in PARTS or name in NAMES:
                    yield name
                if base == "torch" and name in ("torch.load", "torch.save"):
                    yield name
        elif isinstance(node, ast.Attribute):
            written = ast.unparse(node) if node.attr in LAST else ""
            if node.attr in NAMES or node.attr in MODULES:
                yield node.attr
            elif written in ("torch.load", "torch.save") or written in PARTS:
                yield written
        elif isinstance(node, ast.Name) and node.id in NAMES:
            yield node.id
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in NAMES | MODULES:
            yield node.value  # of getattr or import_module
        elif isinstance(node, ast.keyword) and node.arg in ("allow_pickle", "weights_only"):
            value = ast.unparse(node.value)
            yield from [f"{node.arg}={value}"] * (value != str(node.arg == "weights_only"))


def test_nothing_is_pickled_but_where_it_executes_nothing() -> None:
    found = {module: pickles(ast.parse(path.read_text())) for module, path in FILES.items()}
    assert {module: used for module, used in found.items() if used} == {name: set(free) for name, free in FREE.items()}


def test_what_is_free_is_there() -> None:
    assert set(FREE) <= set(FILES)


@pytest.mark.parametrize(
    ("code", "seen"),
    [
        ("import pickle", {"pickle"}),
        ("import numpy, pickle as p", {"pickle"}),
        ("from pickle import loads", {"pickle", "pickle.loads"}),
        ("import torch.package", {"torch.package"}),
        ("from torch import load", {"torch.load"}),
        ("dist.gather_object(b'', everyone)", {"gather_object"}),
        ("torch.distributed.all_gather_object(everywhere, mine)", {"all_gather_object"}),
        ("from torch.distributed import broadcast_object_list as tell", {"broadcast_object_list"}),
        ("send = dist.send_object_list", {"send_object_list"}),
        ("getattr(dist, 'scatter_object_list')(a, b)", {"scatter_object_list"}),
        ("import_module('pickle').loads(text)", {"pickle"}),
        ("state = torch.load(file, weights_only=False)", {"torch.load", "weights_only=False"}),
        ("np.load(path, allow_pickle=True)", {"allow_pickle=True"}),
        ("np.load(path, allow_pickle=False)", set()),
        ("import pickletools", set()),
        ("safetensors.torch.load(data)", set()),
        ("dist.all_gather(everywhere, mine)", set()),
    ],
)
def test_a_pickle_is_seen(code: str, seen: set[str]) -> None:
    assert pickles(ast.parse(code)) == seen
