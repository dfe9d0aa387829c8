"""The share that is held out, where the user left it open: one for all domains."""

from __future__ import annotations

from gansmith.data import holdout
from gansmith.data.settings import DataSettings
from gansmith.data.stages.values import Grouped


def with_share(grouped: tuple[Grouped, ...], settings: DataSettings, *, points: bool) -> DataSettings:
    """`settings` with the share that is held out as a number: of two domains, what the smaller one needs."""
    count = min(len(domain.groups) for domain in grouped)
    return settings.model_copy(update={"holdout": holdout.share_held_out(settings.holdout, count, points=points)})
