"""Image-to-image translation by the networks of a trained run.

A run of `cycle` or `paired` holds a translator for each direction (`to_a`, `to_b`): one translation of each image. A
run of `multimodal` holds an autoencoder for each domain (`a`, `b`): the content of an image, decoded in any number
of styles of the other domain (Huang, Liu, Belongie, Kautz 2018, "Multimodal Unsupervised Image-to-Image
Translation", section 3.1).

Images keep their size: they are padded by reflection to a size that the network reads, and cropped back. They are
translated one at a time, so that a translation depends on its image (and its style) alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from gansmith.adversarial import Dimensions
from gansmith.data.decode import conform
from gansmith.data.prior import Prior
from gansmith.data.stream import normalised
from gansmith.errors import OptionError, RunError
from gansmith.latent.renderer import Renderer
from gansmith.models import saved
from gansmith.models.saved import Card
from gansmith.records.images import to_uint8
from gansmith.system.memory import require_memory
from gansmith.system.paths import shell_word

OTHER = {"a": "b", "b": "a"}

_ROOM = 4  # multiples a side that every network reads, unless it declares `smallest` itself
_WHITE = (255, 255, 255)


class Translator:
    """Translator of one direction: frozen copies of its networks, on `device`.

    to          the domain of the translations, a or b
    dimensions  of the images that it was trained on;  prior: of its styles
    styled      whether one image has several translations

    >>> translator = Translator({"to_b": nn.Hardtanh()}, to="b", dimensions=Dimensions(3, 8, 8))
    >>> translator.translate(np.full((8, 8, 3), 9, np.uint8)).max()
    np.uint8(9)
    """

    def __init__(
        self,
        networks: Mapping[str, nn.Module],
        *,
        to: str,
        dimensions: Dimensions,
        prior: Prior | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        self.to, self.dimensions, self.device = to, dimensions, torch.device(device)
        self.styles = Renderer(nn.Identity(), prior or Prior(size=max(1, dimensions.latent)))
        frozen: dict[str, Any] = {
            name: Renderer(network, self.styles.prior, device=device).generator for name, network in networks.items()
        }
        self.styled = f"to_{to}" not in frozen
        self._reader = frozen[OTHER[to] if self.styled else f"to_{to}"]
        self._writer = frozen[to] if self.styled else None

    @property
    def networks(self) -> list[nn.Module]:
        """Those that translate."""
        return [network for network in (self._reader, self._writer) if network is not None]

    def style(self, seed: int) -> Tensor:
        """The style [1, Z] of a seed, from the prior."""
        self._check_styled()
        return self.styles.latents([seed])

    @torch.no_grad()
    def style_of(self, image: NDArray[Any] | Tensor, *, background: tuple[int, int, int] = _WHITE) -> Tensor:
        """The style [1, Z] of an image of the domain that is translated to; the image as in `translate`."""
        self._check_styled()
        _, style = cast(Any, self._writer).encode(self._padded(self._tensor(image, background), self._writer))
        return cast(Tensor, style).float().cpu()

    def translate(
        self,
        image: NDArray[Any] | Tensor,
        *,
        seed: int = 0,
        style: Tensor | None = None,
        background: tuple[int, int, int] = _WHITE,
    ) -> Any:
        """Image uint8 [H, W, 1..4] -> uint8 [H, W, C], or float32 [1, C, H, W] in [-1, 1] -> the same, on the CPU.

        seed, style: which translation, where there are several. background: behind transparent pixels, for
        a network without transparency. Raises OptionError for images of another shape, or a style where there is one
        translation only.
        """
        if style is not None:
            self._check_styled()
        wanted = [] if not self.styled else [self.style(seed) if style is None else style]
        return self.translations(image, wanted, background=background)[0]

    @torch.no_grad()
    def translations(
        self,
        image: NDArray[Any] | Tensor,
        styles: Sequence[Tensor] = (),
        *,
        background: tuple[int, int, int] = _WHITE,
    ) -> list[Any]:
        """`translate` in each of `styles` [1, Z]; one translation where the network has no styles."""
        pixels = self._tensor(image, background)
        height, width = pixels.shape[2:]
        # as in the renderer: cuDNN may otherwise add up in any order
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
            padded = self._padded(pixels, self._reader)
            count = max(1, len(styles))
            require_memory(
                10 * count * padded.numel(),
                f"{count:,} translations of {height:,}x{width:,} pixels",
                "ask for fewer styles",
            )
            if self._writer is None:
                translated = [self._reader(padded)]
            else:
                content, _ = self._reader.encode(padded)
                translated = [self._writer.decode(content, style.to(self.device)) for style in styles]
        for one in translated:
            if one.shape != padded.shape:
                raise RunError(
                    f"the network turns an image {list(padded.shape)} into {list(one.shape)}: it reads images of "
                    f"{self.dimensions.height}x{self.dimensions.width} only"
                )
        images = [one[:, :, :height, :width].float().cpu().contiguous() for one in translated]
        return images if isinstance(image, Tensor) else [to_uint8(one)[0] for one in images]

    def _tensor(self, image: NDArray[Any] | Tensor, background: tuple[int, int, int]) -> Tensor:
        """float32 [1, C, H, W] in [-1, 1]."""
        channels = self.dimensions.channels
        if isinstance(image, Tensor):
            if image.dim() != 4 or image.shape[:2] != (1, channels):
                raise OptionError(f"an image is a tensor [1, {channels}, H, W] here, not {list(image.shape)}")
            return image.to(device="cpu", dtype=torch.float32)
        if not isinstance(image, np.ndarray):
            raise OptionError(
                f"an image is an array uint8 [H, W, 1 to 4] here, or a tensor [1, {channels}, H, W] in [-1, 1], not "
                f"{type(image).__name__}: np.asarray(Image.open(path)) is one"
            )
        if image.dtype != np.uint8 or image.ndim != 3 or not 1 <= image.shape[2] <= 4:
            raise OptionError(
                f"an image is an array uint8 [H, W, 1 to 4] here, or a tensor [1, {channels}, H, W] in [-1, 1], not "
                f"{image.dtype} {list(image.shape)}"
            )
        size = (image.shape[0], image.shape[1])
        pixels = conform(image, size=size, channels=channels, background=background)
        return normalised(torch.from_numpy(pixels)[None])

    def _padded(self, image: Tensor, network: nn.Module | None) -> Tensor:
        """[1, C, H, W] padded by reflection, right and bottom, to a size that the network reads, on the device."""
        multiple = int(getattr(network, "multiple", 1))
        for axis, trained in ((2, self.dimensions.height), (3, self.dimensions.width)):
            least = int(getattr(network, "smallest", min(_ROOM * multiple, trained)))
            side = image.shape[axis]
            missing = -(-max(side, least) // multiple) * multiple - side
            # reflection padding is shorter than the side
            mode = "reflect" if missing < side else "replicate"
            image = F.pad(image, (0, missing, 0, 0) if axis == 3 else (0, 0, 0, missing), mode=mode)
        # a copy, because the CPU's matrix products round by where in memory a row begins
        return image.clone(memory_format=torch.contiguous_format).to(self.device)

    def _check_styled(self) -> None:
        if not self.styled:
            raise OptionError(
                "this run has one translation for each image: several styles are learned by the game multimodal"
            )


def load_translator(
    path: Path, to: str | None = None, *, device: torch.device | str = "cpu", trust: bool = False
) -> Translator:
    """The translator in a folder (or file) of models. `to` may be left out where there is one direction.

    >>> card = Card("to_b", "translator", "pix2pix", {"width": 2}, Dimensions(3, 8, 8))
    >>> saved.save(Path("model"), {"to_b": (card, card.build().state_dict())})
    >>> load_translator(Path("model")).to
    'b'
    """

    def network(player: str) -> tuple[nn.Module, Card]:
        return saved.load(path, player, trust=trust)

    return translator_of(roles_in(path), network, to=to, where=path, device=device)


def roles_in(path: Path) -> dict[str, str]:
    """{player: its role} of a folder (or file) of models, from their cards. Raises RunError when there is none."""
    if not path.exists():
        raise RunError(f"there are no models in {path}: they are written with the first checkpoint of a run")
    files = sorted(path.glob("*.safetensors")) if path.is_dir() else [path]
    cards = [saved.read_card(file) for file in files]
    return {card.player: card.role for card in cards}


def translator_of(
    roles: Mapping[str, str],
    network: Callable[[str], tuple[nn.Module, Card]],
    *,
    to: str | None,
    where: Path,
    device: torch.device | str = "cpu",
) -> Translator:
    """The translator built of the players that it needs, each from `network(player)`; `where` is for messages.

    Raises RunError for what does not translate, OptionError for a direction that is not there or left open.
    """
    known = directions(roles)
    if not known:
        raise RunError(_no_translation(roles, where))
    if to is None:
        if len(known) > 1:
            raise OptionError(f"{where} translates to a and to b: say which with --to a or --to b")
        (to,) = known
    if to not in known:
        if to not in OTHER:
            raise OptionError(f"a translation is to a or to b, not to {to!r}")
        raise OptionError(
            f"{where} translates to {OTHER[to]} only. For the other way, train a run with the domains exchanged: "
            f"data.path for data.other, or --set data.options.order=ba where both are in one place"
        )
    built = {player: network(player) for player in known[to]}
    card = built[known[to][0]][1]
    networks = {player: one for player, (one, _) in built.items()}
    return Translator(networks, to=to, dimensions=card.dimensions, prior=card.prior, device=device)


def directions(roles: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """{direction: the players that it needs}, from {player: role}.

    >>> directions({"to_b": "translator", "discriminator": "discriminator"})
    {'b': ('to_b',)}
    """
    if roles.get("a") == roles.get("b") == "autoencoder":
        return {"a": ("a", "b"), "b": ("a", "b")}
    return {to: (f"to_{to}",) for to in "ab" if roles.get(f"to_{to}") == "translator"}


def _no_translation(roles: Mapping[str, str], where: Path) -> str:
    if "autoencoder" in roles.values():
        return (
            f"{where} holds one autoencoder, and a translation takes those of both domains: give the run, or its model/"
        )
    roles_there = ", ".join(sorted(set(roles.values()))) or "nothing"
    hint = f" It generates images: gansmith sample {shell_word(where)}." if "generator" in roles.values() else ""
    return (
        f"{where} does not translate: it holds {roles_there}.{hint} A translation is trained with the games cycle, "
        f"paired and multimodal"
    )
