"""Size and number of channels, where the user left them open: one of each for all domains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from pydantic import ValidationError

from gansmith.data.recommend import is_grey, recommended_channels, recommended_size
from gansmith.data.settings import DataSettings
from gansmith.data.source import Source
from gansmith.data.subsets import evenly_spaced
from gansmith.errors import DataError, UnreadableImageError

SAMPLED = 256  # images of each source that decide


def resolve(sources: Sequence[Source], settings: DataSettings) -> DataSettings:
    """`settings` with a size and a number of channels. Points have neither.

    Raises DataError for a source that is empty or of which no image can be read, and for points beside images.
    """
    names = [settings.path] if len(sources) == 1 else [source.name for source in sources]
    if len({source.points for source in sources}) > 1:
        raise DataError(
            f"{' | '.join(names)}: one is a set of points and the other of images; both must be of one kind"
        )
    for source, name in zip(sources, names, strict=True):
        if not len(source):
            raise DataError(f"there are no images in {name}")
    if sources[0].points and settings.load_size is not None:
        raise DataError(f"{settings.path} is a set of points, which have no size: leave data.load_size out")
    if sources[0].points or (settings.size is not None and settings.channels is not None):
        return settings
    own = {source.size for source in sources}
    size, channels = settings.size or (own.pop() if len(own) == 1 else None), settings.channels
    if size is None or channels is None:
        sizes: list[tuple[int, int]] = []
        grey: list[bool] = []
        for source, name in zip(sources, names, strict=True):
            seen = list(sample(source, settings.background))
            if not seen:
                raise DataError(f"none of the images in {name} could be read")
            sizes += [size for size, _ in seen]
            grey += [is_grey for _, is_grey in seen]
        size = size or recommended_size(sizes)
        channels = channels or recommended_channels(grey)
    resolved = settings.model_copy(update={"size": size, "channels": channels})
    return resolved if settings.load_size is None else _with_room(resolved)


def _with_room(settings: DataSettings) -> DataSettings:
    """`settings` whose load_size is larger than the size that was recommended. Raises DataError."""
    try:
        return DataSettings.model_validate(settings.model_dump())
    except ValidationError as error:
        raise DataError(f"{error.errors()[0]['msg'].removeprefix('Value error, ')}; name a --size") from None


def sample(
    source: Source, background: tuple[int, int, int], count: int = SAMPLED
) -> Iterator[tuple[tuple[int, int], bool]]:
    """((height, width), whether it is grey) of `count` images evenly spaced over the source; where none of these can be
    read, of the first that can."""
    spread = evenly_spaced(len(source), count).tolist()
    any_readable = False
    for number, index in enumerate([*spread, *range(len(source))]):
        if any_readable and number >= len(spread):
            return
        with suppress(UnreadableImageError, OSError):
            image = source.one(index).image
            yield (image.shape[0], image.shape[1]), is_grey(image, background)
            any_readable = True
