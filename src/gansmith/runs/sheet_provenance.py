"""Provenance of a run's sample sheets: which weights made them, from which seeds, as `gansmith show` reads it."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from gansmith.adversarial import Fixed
from gansmith.experiment.assemble import Assembly
from gansmith.latent.origin import origin
from gansmith.latent.provenance import KEYWORD, Provenance, Samples
from gansmith.models.saved import digest_of
from gansmith.runs.sample_inputs import is_conditional


def sheet_text(parts: Assembly, players: Mapping[str, nn.Module], fixed: Fixed, images: int) -> dict[str, str]:
    """What the sheet after `images` images says of itself, by keyword; nothing of a game that makes no images from
    latents alone. The digest is that of the model that the run writes at this moment; nothing is drawn."""
    generator = players.get("generator")
    if generator is None or parts.roles.get("generator") != "generator" or parts.data.other is not None:
        return {}
    state = {name: one.float() if one.is_floating_point() else one for name, one in generator.state_dict().items()}
    classes = tuple(fixed.label.tolist()) if fixed.label is not None and is_conditional(parts) else None
    request = Samples(seeds=tuple(range(len(fixed.latents))), labels=classes)
    text = Provenance(origin=origin(digest_of(state), images, parts.experiment.recipe), request=request).text()
    return {} if text is None else {KEYWORD: text}
