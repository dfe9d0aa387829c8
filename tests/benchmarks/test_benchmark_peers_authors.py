"""Trainings of the peers: the harness, the shim on a package that insists on CUDA, DCGAN against an independent step,
the settings that each package is called with. The packages are stood in for."""

from __future__ import annotations

import copy
import json
import math
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from benchmarks.peers.authors import dcgan, diffusion, lightweight, shim, stylegan2
from benchmarks.peers.authors.task import DivergedError, Task, as_tensor, run
from PIL import Image
from torch import Tensor, nn


class Busy:
    """Spends 10 ms a step on two images; samples are `value` everywhere."""

    def __init__(self, value: float = 0.25, diverges: bool = False) -> None:
        self.value, self.diverges = value, diverges
        self.networks: dict[str, nn.Module] = {"one": nn.Linear(3, 4)}
        self.spent: list[float] = []

    def step(self, spent: float) -> int:
        if self.diverges:
            raise DivergedError("a NaN in step 0")
        self.spent.append(spent)
        end = time.process_time() + 0.01
        while time.process_time() < end:
            pass
        return 2

    def sample(self, count: int) -> Tensor:
        return torch.full((count, 3, 8, 8), self.value)


def task(folder: Path, **changed: Any) -> Task:
    np.save(folder / "images.npy", np.zeros((4, 8, 8, 3), np.uint8))
    values = {"images": str(folder / "images.npy"), "out": str(folder), "seconds": 0.05, "seed": 0, "samples": 3}
    return Task(**{**values, **changed})


def test_a_training_stops_at_its_seconds(tmp_path: Path) -> None:
    busy = Busy()
    report = run(lambda *_: busy, task(tmp_path))
    assert report.cpu_seconds >= 0.05
    assert 1 <= report.steps <= 5
    assert report.drawn == 2 * report.steps == 2 * len(busy.spent)
    assert busy.spent[0] == 0
    assert all(0 <= spent < 1 for spent in busy.spent)
    assert busy.spent == sorted(busy.spent)
    assert report.parameters == {"one": 16}
    assert json.loads((tmp_path / "report.json").read_text())["steps"] == report.steps
    samples = np.load(tmp_path / "samples.npy")
    assert (samples.shape, samples.dtype) == ((3, 8, 8, 3), np.uint8)
    assert (samples == 159).all()  # round(1.25 * 127.5)
    np.testing.assert_allclose(as_tensor(samples), 0.25, atol=1 / 255)


@pytest.mark.parametrize("training", [Busy(math.nan), Busy(math.inf), Busy(diverges=True)])
def test_a_training_that_diverges_leaves_no_samples(tmp_path: Path, training: Busy) -> None:
    report = run(lambda *_: training, task(tmp_path))
    assert report.why is not None
    assert "NaN" in report.why
    assert not (tmp_path / "samples.npy").exists()
    assert json.loads((tmp_path / "report.json").read_text())["why"] == report.why


@pytest.mark.parametrize(("precision", "expected"), [("float32", torch.float32), ("bfloat16", torch.bfloat16)])
def test_autocast_is_round_the_steps(tmp_path: Path, precision: str, expected: torch.dtype) -> None:
    types: list[torch.dtype] = []

    class Linear(Busy):
        def step(self, spent: float) -> int:
            types.append(self.networks["one"](torch.ones(1, 3)).dtype)
            return super().step(spent)

    run(lambda *_: Linear(), task(tmp_path, precision=precision))
    assert set(types) == {expected}


def test_dcgan_is_the_known_network_at_64_pixels() -> None:
    networks = dcgan.generator(64, 3), dcgan.discriminator(64, 3)
    assert [sum(weight.numel() for weight in network.parameters()) for network in networks] == [3_576_704, 2_765_568]


@pytest.mark.parametrize(("size", "channels", "widest"), [(16, 1, 128), (32, 3, 256), (64, 4, 512)])
def test_dcgan_at_other_sizes_leaves_out_the_widest_layers(size: int, channels: int, widest: int) -> None:
    generator, discriminator = dcgan.generator(size, channels), dcgan.discriminator(size, channels)
    images = generator(torch.randn(2, 100, 1, 1))
    assert images.shape == (2, channels, size, size)
    assert discriminator(images).shape == (2, 1, 1, 1)
    assert isinstance(generator[0], nn.ConvTranspose2d)
    assert generator[0].out_channels == widest


def test_weights_begin_as_the_paper_says() -> None:
    torch.manual_seed(0)
    convolution, norm = nn.Conv2d(64, 64, 4), nn.BatchNorm2d(4096)
    for module in (convolution, norm):
        dcgan.initialise(module)
    for values, mean in ((convolution.weight.detach(), 0.0), (norm.weight.detach(), 1.0)):
        assert float(values.mean()) == pytest.approx(mean, abs=2e-3)
        assert float(values.std()) == pytest.approx(0.02, rel=0.05)
    assert not norm.bias.any()


def test_a_step_of_dcgan_is_the_papers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Adam's first step is rate * g / (|g| + eps), g from -log D(x) - log(1 - D(G(z))), then from -log D(G(z)) under
    the discriminator that has stepped, at the same z."""
    monkeypatch.setattr(dcgan, "WIDTH", 2)
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    try:
        training = dcgan.Dcgan(torch.randn(8, 3, 16, 16))
        generator, discriminator = copy.deepcopy(training.generator), copy.deepcopy(training.discriminator)
        torch.manual_seed(1)
        assert training.step(0.0) == 8
        torch.manual_seed(1)
        real = training.images[torch.randperm(8)]
        fake = generator(torch.randn(8, 100, 1, 1))
        scores = discriminator(real), discriminator(fake.detach())
        loss = -torch.log(torch.sigmoid(scores[0])).mean() - torch.log(1 - torch.sigmoid(scores[1])).mean()
        adam(discriminator, loss)
        adam(generator, -torch.log(torch.sigmoid(discriminator(fake))).mean())
    finally:
        torch.set_default_dtype(torch.float32)
    for mine, theirs in ((generator, training.generator), (discriminator, training.discriminator)):
        torch.testing.assert_close(list(mine.parameters()), list(theirs.parameters()), rtol=1e-7, atol=1e-9)


def adam(network: nn.Module, loss: Tensor) -> None:
    weights = list(network.parameters())
    gradients = torch.autograd.grad(loss, weights, retain_graph=True)
    with torch.no_grad():
        for weight, gradient in zip(weights, gradients, strict=True):
            weight.sub_(2e-4 * gradient / (gradient.abs() + 1e-8))


@pytest.fixture
def shimmed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the shim changes in torch is undone."""
    monkeypatch.setattr(torch.Tensor, "cuda", None)
    monkeypatch.setattr(nn.Module, "cuda", None)


INSISTS = """
import torch
from torch import nn
import tracker_that_is_not_installed
assert torch.cuda.is_available(), 'You need to have an Nvidia GPU with CUDA installed.'
def work(rank):
    network = nn.Linear(2, 2).cuda(rank)
    return network(torch.ones(1, 2).cuda(rank)) + torch.zeros([], device=torch.device(f'cuda:{rank}'))
"""


@pytest.mark.usefixtures("shimmed")
def test_a_package_that_insists_on_cuda_works_on_a_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "insists").mkdir()
    (tmp_path / "insists" / "__init__.py").write_text("")
    (tmp_path / "insists" / "inner.py").write_text(INSISTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    before = torch.cuda.is_available()
    package = shim.load("insists", "inner", absent=("tracker_that_is_not_installed", "json"))
    assert sys.modules["json"] is json  # what is installed is not replaced
    assert torch.cuda.is_available() == before
    assert package.work(0).device == torch.device("cpu")
    assert package.torch.float32 is torch.float32
    assert torch.device("meta").type == "meta"  # outside of the package nothing has changed


class Nan(Exception):  # noqa: N818  # the packages' own is called NanException
    pass


def test_a_nan_is_tried_again_and_then_ends_the_training() -> None:
    fails = [True, True, False]
    trainer = SimpleNamespace(steps=5)

    def train() -> None:
        if fails.pop(0):
            raise Nan

    trainer.train = train
    shim.play(trainer, Nan)
    assert not fails
    fails += [True] * 3
    with pytest.raises(DivergedError, match="step 5"):
        shim.play(trainer, Nan)
    fails.append(False)
    trainer.train = lambda: 1 / 0
    with pytest.raises(ZeroDivisionError):
        shim.play(trainer, Nan)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_images_become_files_without_loss(tmp_path: Path, channels: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8, channels), dtype=np.uint8)
    paths = sorted(shim.folder_of(images, tmp_path / "images").iterdir())
    read = np.stack([np.asarray(Image.open(path)).reshape(8, 8, channels) for path in paths])
    np.testing.assert_array_equal(read, images)


class Trainer:
    """Stands for the packages': notes what it is asked for; networks that give .75, averaged ones that give .25."""

    def __init__(self, **options: Any) -> None:
        self.options, self.steps, self.GAN = options, 0, None
        self.sheets = 0

    def set_data_src(self, folder: str) -> None:
        self.files = len(list(Path(folder).iterdir()))

    def init_GAN(self) -> None:  # noqa: N802  # the packages' name
        own, averaged = constant(0.75), constant(0.25)
        self.GAN = SimpleNamespace(G=own, GE=averaged, S=own, SE=averaged, D=nn.Linear(2, 2), latent_dim=4)
        self.GAN.eval = lambda: self.GAN

    def train(self) -> None:
        self.evaluate()
        self.save(0)
        self.steps += 1

    def evaluate(self) -> None:
        self.sheets += 1

    def save(self, _: int) -> None:
        self.sheets += 1

    def generate_(self, network: nn.Module, latents: Tensor) -> Tensor:
        return torch.full((len(latents), self.options["greyscale"] or 3, 8, 8), network.value)  # type: ignore[arg-type]

    def generate_truncated(
        self, _: nn.Module, network: nn.Module, latents: Any, __: Any, *, trunc_psi: float
    ) -> Tensor:
        assert self.av is None
        assert trunc_psi == 0.75
        return torch.full((latents[0][1], 3, 8, 8), network.value)  # type: ignore[arg-type]

    av: Any = "of older weights"


def constant(value: float) -> nn.Module:
    network = nn.Linear(2, 2)
    network.value, network.num_layers, network.latent_dim, network.image_size = value, 4, 4, 8  # type: ignore[assignment]
    return network


PACKAGE = SimpleNamespace(
    Trainer=Trainer,
    NanException=Nan,
    noise_list=lambda count, layers, size, device: [("latents", count)],
    image_noise=lambda count, size, device: "noise",
)


@pytest.mark.parametrize("kind", [lightweight.Lightweight, stylegan2.StyleGan2])
def test_a_package_is_called_at_its_authors_settings(tmp_path: Path, kind: Any) -> None:
    grey = np.zeros((20, 8, 8, 1), np.uint8)
    training = kind(PACKAGE, task(tmp_path), grey)
    drawn = {training.step(0.0) for _ in range(3)}
    trainer = training.trainer
    assert drawn == {trainer.options["batch_size"] * trainer.options["gradient_accumulate_every"]}
    assert (trainer.files, trainer.options["num_workers"], trainer.options["image_size"]) == (20, 0, 8)
    assert trainer.sheets == 0
    assert training.sample(5).shape == (5, 1, 8, 8)
    assert (training.sample(5) == 0.5).all()  # .75 of 0 to 1
    trainer.steps = 20_001
    assert (training.sample(5) == -0.5).all()  # the averaged generator's


@pytest.mark.parametrize(("images", "augmented"), [(9_999, 0.25), (10_000, 0.0)])
def test_stylegan2_augments_few_images(tmp_path: Path, images: int, augmented: float, monkeypatch: Any) -> None:
    monkeypatch.setattr(shim, "folder_of", lambda *_: tmp_path)
    training = stylegan2.StyleGan2(PACKAGE, task(tmp_path), np.zeros((images, 8, 8, 3), np.uint8))
    assert training.trainer.options["aug_prob"] == augmented
    assert training.trainer.options["ttur_mult"] == 1.5


class Denoiser(nn.Module):
    """Predicts `weight` everywhere."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.options = options
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, images: Tensor, at: Tensor) -> Any:
        return SimpleNamespace(sample=self.weight.expand_as(images))


class Noise:
    """Adds noise by a plain sum; a sampling step subtracts what was predicted."""

    def __init__(self, **options: Any) -> None:
        self.config = options

    @classmethod
    def from_config(cls, config: Any) -> Noise:
        return cls(**config)

    def add_noise(self, images: Tensor, noise: Tensor, at: Tensor) -> Tensor:
        assert at.shape == (len(images),)
        return images + noise

    def set_timesteps(self, count: int) -> None:
        self.timesteps = range(count)

    def step(self, predicted: Tensor, at: int, images: Tensor, eta: float) -> Any:
        assert eta == 0
        return SimpleNamespace(prev_sample=images - predicted)


DIFFUSERS = SimpleNamespace(UNet2DModel=Denoiser, DDPMScheduler=Noise, DDIMScheduler=Noise)


def test_a_denoiser_learns_the_noise_and_samples_in_fifty_steps() -> None:
    torch.manual_seed(0)
    training = diffusion.Diffusion(DIFFUSERS, diffusion.COURSE, torch.zeros(70, 3, 32, 32))
    assert [training.step(0.0) for _ in range(3)] == [64, 6, 64]
    assert training.noise.config == {"num_train_timesteps": 1000, "beta_schedule": "squaredcos_cap_v2"}
    denoiser = training.network
    nn.init.constant_(denoiser.weight, 0.5)  # type: ignore[arg-type]
    samples = training.sample(65).detach()
    assert samples.shape == (65, 3, 32, 32)
    assert float(samples.mean()) == pytest.approx(-25, abs=0.1)  # 50 times 0.5 from noise of mean 0


@pytest.mark.parametrize("flip", [True, False])
def test_images_are_mirrored_only_where_the_set_says_so(flip: bool) -> None:
    images = torch.zeros(400, 3, 4, 4)
    images[..., 0] = 1
    training = diffusion.Diffusion(DIFFUSERS, diffusion.COURSE, images, flip=flip)
    drawn = torch.cat([training._next() for _ in range(6)])
    share = float((drawn[:, 0, 0, 0] == 0).float().mean())
    assert share == pytest.approx(0.5, abs=0.1) if flip else share == 0


def test_networks_of_the_two_settings() -> None:
    options = diffusion.network_options(diffusion.EXAMPLE, 32, 3)
    assert options["block_out_channels"] == (128, 128, 256, 256, 512)
    assert [name[:4] for name in options["down_block_types"]] == ["Down", "Down", "Down", "Attn", "Down"]
    assert [name[:4] for name in options["up_block_types"]] == ["UpBl", "Attn", "UpBl", "UpBl", "UpBl"]
    course = diffusion.network_options(diffusion.COURSE, 32, 1)
    assert (course["in_channels"], course["block_out_channels"]) == (1, (64, 128, 128, 256))
    assert course["down_block_types"][1:] == ("DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D")


def test_the_rate_warms_up_and_falls_over_the_time() -> None:
    share = diffusion.share_of_rate
    assert [share(diffusion.COURSE, steps, spent) for steps, spent in ((0, 0.0), (9, 0.9))] == [1, 1]
    assert share(diffusion.EXAMPLE, 0, 0.0) == 0
    assert share(diffusion.EXAMPLE, 250, 0.0) == 0.5
    assert share(diffusion.EXAMPLE, 500, 0.5) == pytest.approx(0.5)
    assert share(diffusion.EXAMPLE, 9_000, 1.0) == pytest.approx(0.0)
