"""Networks of a few weights, with what is easily lost on resume: batch normalisation, spectral norm, dropout."""

from __future__ import annotations

from math import prod

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from gansmith.adversarial import Dimensions


class Generator(nn.Module):
    def __init__(self, dimensions: Dimensions) -> None:
        super().__init__()
        self.shape = dimensions[:3]
        inputs = prod(self.shape) if not dimensions.latent else dimensions.latent
        self.layers = nn.Sequential(
            nn.Linear(inputs, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Linear(12, prod(self.shape)), nn.Tanh()
        )

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        return self.layers(z.flatten(1)).unflatten(1, self.shape)


class Translator(Generator):
    """Its only features are the image and what is made of it, with a head for each."""

    def __init__(self, dimensions: Dimensions) -> None:
        super().__init__(dimensions._replace(latent=0))
        self.heads = nn.ModuleList(nn.Linear(dimensions.channels, 4) for _ in range(2)).requires_grad_(False)

    def encode(self, image: Tensor) -> tuple[Tensor, Tensor]:
        return image, super().forward(image)

    def decode(self, features: tuple[Tensor, Tensor]) -> Tensor:
        return features[1]

    def project(self, place: int, vectors: Tensor) -> Tensor:
        return nn.functional.normalize(self.heads[place](vectors), dim=-1)


class Autoencoder(Generator):
    """The whole image is its content; a style is added to it."""

    def __init__(self, dimensions: Dimensions) -> None:
        super().__init__(dimensions._replace(latent=0))
        self.style = nn.Linear(prod(self.shape), dimensions.latent)
        self.styled = nn.Linear(dimensions.latent, prod(self.shape))

    def encode(self, image: Tensor) -> tuple[Tensor, Tensor]:
        return super().forward(image), self.style(image.flatten(1))

    def decode(self, content: Tensor, style: Tensor) -> Tensor:
        return content + self.styled(style).unflatten(1, self.shape)


class Discriminator(nn.Module):
    def __init__(self, dimensions: Dimensions, outputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(),
            spectral_norm(nn.Linear(prod(dimensions[:3]), 12)),
            nn.LeakyReLU(0.2),
            nn.Dropout(0.3),
            nn.Linear(12, outputs),
        )

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        return self.layers(image).squeeze(1)


def generator(dimensions: Dimensions) -> Generator:
    return Generator(dimensions)


def translator(dimensions: Dimensions) -> Translator:
    return Translator(dimensions)


def autoencoder(dimensions: Dimensions) -> Autoencoder:
    return Autoencoder(dimensions)


def discriminator(dimensions: Dimensions) -> Discriminator:
    return Discriminator(dimensions, 1)


def classifier(dimensions: Dimensions) -> Discriminator:
    return Discriminator(dimensions, max(dimensions.classes, 2))
