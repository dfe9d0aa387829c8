"""Every generator and translator of the catalog can be exported, for any batch, and makes the same images then.

A new file is tried the moment it exists, at a small width and its smallest sizes.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from test_contract_models import LABELLED, build

from declared import fitted
from gansmith import catalog
from gansmith.adversarial import Dimensions
from gansmith.data.prior import Prior
from gansmith.export import onnx_file
from gansmith.export import program as program_file
from gansmith.export import traced as traced_files
from gansmith.export.portable import COMPARED, Portable, portable
from gansmith.models import saved
from gansmith.models.saved import Card
from gansmith.runs.run import Run
from gansmith.system.seeding import generator as randomness

ROLES = ("generator", "translator", "autoencoder")
CASES = [
    *((name, role) for role in ROLES for name in catalog.names("models", role)),
    *((name, "generator+") for name, role in LABELLED if role == "generator"),
]


def exported(name: str, role: str, folder: Path) -> Portable:
    """The network, with weights that are not at their beginning, saved and opened again as a run's."""
    plain = role.removesuffix("+")
    # instance normalisation of a few pixels makes rounding large
    size = fitted(name, Dimensions(3, 8, 12, 5, 3) if plain == "generator" else Dimensions(3, 32, 32, 5))
    network = build(name, role, size)
    with torch.no_grad():
        for number, weights in enumerate(network.parameters()):  # what begins at zero says nothing yet
            weights.add_(0.05 * torch.randn(weights.shape, generator=randomness("moved", number)))
    options = catalog.keyword_options(catalog.find("models", name, plain))
    small = {key: value for key, value in {"width": 4, "depth": 1}.items() if key in options}
    if "conditional" in options:
        small["conditional"] = role.endswith("+")
    players = {"generator": ["generator"], "translator": ["to_b"], "autoencoder": ["a", "b"]}[plain]
    prior = Prior(size=size.latent, classes=3)
    cards = {player: Card(player, plain, name, small, size, prior) for player in players}
    saved.save(folder, {player: (card, network.state_dict()) for player, card in cards.items()})
    return portable(Run(folder), direction="b" if plain == "autoencoder" else None)


@pytest.mark.parametrize(("name", "role"), CASES)
def test_a_program_and_onnx_make_the_same_images(
    name: str, role: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = exported(name, role, tmp_path)
    assert ("label" in network.inputs_are) is role.endswith("+")
    traced = traced_files.program(network)  # once for both, which takes most of the time
    for module in (program_file, onnx_file):
        monkeypatch.setattr(module, "program", lambda _: traced)
    _, difference = program_file.program_bytes(network)
    assert difference.largest <= 1e-6
    assert difference.count == COMPARED == 64
    pytest.importorskip("onnxscript")
    ort = pytest.importorskip("onnxruntime")
    data, difference = onnx_file.onnx_bytes(network)
    assert difference.largest <= 1e-4
    assert difference.mean <= 1e-6
    session = ort.InferenceSession(data, providers=["CPUExecutionProvider"])
    assert [one.name for one in session.get_inputs()] == [*network.inputs_are]
    inputs = network.inputs(5)  # a batch that was not tried
    (images,) = session.run(None, {key: values.numpy() for key, values in inputs.items()})
    torch.testing.assert_close(torch.from_numpy(images), network.images(inputs), rtol=0, atol=1e-4)
