"""Rows of the sheets of `gansmith look-inside`: feature maps, channels switched off, what excites units."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gansmith.data.stream import normalised
from gansmith.evaluation.types import Images
from gansmith.judge.insides import DISCRIMINATOR, GENERATOR, Insides
from gansmith.latent.inside.ascent import ascent, statistics_of
from gansmith.latent.inside.excitation import Excitement, excitements, receptive_field
from gansmith.latent.inside.layers import Layer, feature_maps
from gansmith.latent.inside.switched_off import switched_off, without
from gansmith.records.images import to_uint8
from gansmith.records.rows import Cell, Row
from gansmith.system.progress import bar

_IN_A_ROW = 10  # feature maps
_TRIED = 128  # channels that are switched off at least, of a layer that has so many
_PATCHES, _WHOLE = 6, 3  # parts of images that excite a unit, and images that they are parts of
_PAST = (128, 128, 128)  # beyond the edge of an image
_MARK = (230, 40, 40)


def maps_rows(inside: Insides, layers: dict[str, list[Layer]], *, channels: int) -> list[Row]:
    """Rows of feature maps for the first sample: the channels of each layer with the largest mean square, strongest
    first. Each map is drawn by its own largest absolute value: white there if positive, black if negative, grey is 0.
    """
    sample = inside.render(1)
    rows = [Row("the sample", [[Cell(to_uint8(sample)[0])]])]
    for player in (GENERATOR, DISCRIMINATOR):
        names = [layer.name for layer in layers[player]]
        if not names:
            continue
        network = inside.renderer.generator if player == GENERATOR else inside.discriminator
        assert network is not None
        with torch.no_grad():
            call = (lambda: inside.render(1)) if player == GENERATOR else (lambda: inside.score(sample))
            made = feature_maps(network, names, call)
        for layer in layers[player]:
            maps = made[layer.name][0].cpu()
            order = maps.square().mean((1, 2)).argsort(descending=True, stable=True)[:channels].tolist()
            shown = "" if len(order) == layer.channels else f"; the {len(order)} strongest"
            for start in range(0, len(order), _IN_A_ROW):
                cells = [Cell(_grey(maps[channel]), str(channel)) for channel in order[start : start + _IN_A_ROW]]
                rows.append(Row("" if start else f"{player}.{layer}{shown}", [cells]))
    return rows


def off_rows(inside: Insides, layer: Layer, *, channels: int) -> list[Row]:
    """Rows of samples without each of the channels of a generator's layer that change them most; the first row shows
    them as they are, the last group of each where they change, averaged over samples. Of a layer of more than 128
    channels those 128 are tried whose maps have the largest mean square."""
    most = max(_TRIED, channels)
    found = switched_off(inside.renderer.generator, layer.name, layer.channels, inside.render, most=most)
    plain = to_uint8(found.images)
    of = "" if layer.channels <= most else f"; tried: the {most} of {layer.channels} with the strongest maps"
    rows = [Row(f"as they are; below, each without one channel of {GENERATOR}.{layer.name}{of}", [_cells(plain)])]
    for channel in found.order[:channels]:
        changed = without(inside.renderer.generator, layer.name, [channel], inside.render)
        apart = (changed - found.images).square().mean(1).sqrt().mean(0)
        share = 100 * float(found.change[channel])
        title = f"channel {channel} off: changes them by {share:.2g} % of what two samples differ by"
        rows.append(Row(title, [_cells(to_uint8(changed)), [Cell(_grey(apart), "where")]]))
    return rows


def unit_rows(inside: Insides, layers: Sequence[Layer], images: Images | None, *, units: int, steps: int) -> list[Row]:
    """Rows of units of each of a discriminator's layers: parts of `images` that excite it most, the images that the
    first are parts of, and an image by ascent. Without images the first units, by ascent alone."""
    assert inside.discriminator is not None
    tensors = None if images is None else normalised(torch.from_numpy(images))
    names = [layer.name for layer in layers]
    known = {} if tensors is None else excitements(inside.discriminator, names, tensors, inside.score)
    like = None if tensors is None else statistics_of(tensors)
    rows = []
    with bar("ascent for units", steps * len(layers), "steps") as advance:
        for layer in layers:
            found = known.get(layer.name)
            chosen = (list(range(layer.channels)) if found is None else found.selective(_PATCHES))[:units]
            climbed = ascent(
                *(inside.discriminator, layer.name, chosen, inside.shape, inside.score),
                like=like,
                steps=steps,
                advance=advance,
            )
            rows += _rows_of_layer(inside, layer, images, found=found, chosen=chosen, climbed=climbed)
    return rows


def _rows_of_layer(
    inside: Insides,
    layer: Layer,
    images: Images | None,
    *,
    found: Excitement | None,
    chosen: Sequence[int],
    climbed: tuple[Tensor, Tensor],
) -> list[Row]:
    """`unit_rows` of the `chosen` units of one layer; climbed: their images by ascent, and their values there."""
    network = inside.discriminator
    assert network is not None
    middle = receptive_field(network, layer.name, (layer.height // 2, layer.width // 2), inside.shape, inside.score)
    rows = []
    for place, unit in enumerate(chosen):
        groups = []
        if found is not None and images is not None:
            best = found.strongest(unit, _PATCHES)
            places = [(int(found.places[one, unit, 0]), int(found.places[one, unit, 1])) for one in best]
            boxes = [receptive_field(network, layer.name, place, inside.shape, inside.score) for place in places]
            side = max(max(bottom - top, right - left) for top, left, bottom, right in boxes)
            parts = [
                Cell(_part(images[one], box, side), f"{float(found.values[one, unit]):.3g}")
                for one, box in zip(best, boxes, strict=True)
            ]
            whole = [Cell(_framed(images[one], box)) for one, box in zip(best[:_WHOLE], boxes, strict=False)]
            groups += [parts, whole]
        height, width = middle[2] - middle[0], middle[3] - middle[1]
        part = _part(to_uint8(climbed[0][place][None])[0], middle, max(height, width))
        groups.append([Cell(part, f"{float(climbed[1][place]):.3g}")])
        rows.append(Row(f"{DISCRIMINATOR}.{layer.name}, unit {unit}: sees {height} x {width} pixels", groups))
    return rows


def unit_headings(images: Images | None) -> list[str]:
    """Above the groups of `unit_rows`."""
    real = [] if images is None else ["parts of training images that excite it most", "the first three of these images"]
    return [*real, "by ascent"]


def _cells(images: NDArray[np.uint8]) -> list[Cell]:
    return [Cell(image) for image in images]


def _grey(values: Tensor) -> NDArray[np.uint8]:
    """Values [h, w] -> grey levels [h, w, 1]: 0 is 128, the largest absolute value 255 or 0."""
    top = values.abs().max().clamp_min(1e-30)
    levels = (128 + 127 * values / top).round().clamp(0, 255).to(torch.uint8)
    return np.ascontiguousarray(levels[:, :, None].numpy())


def _part(image: NDArray[np.uint8], box: tuple[int, int, int, int], side: int) -> NDArray[np.uint8]:
    """The box (top, left, bottom, right) of an image [H, W, C], in RGB, in the middle of a grey square of `side`."""
    top, left, bottom, right = box
    square = np.empty((side, side, 3), np.uint8)
    square[:] = _PAST
    part = _rgb(image)[top:bottom, left:right]
    y, x = (side - part.shape[0]) // 2, (side - part.shape[1]) // 2
    square[y : y + part.shape[0], x : x + part.shape[1]] = part
    return square


def _framed(image: NDArray[np.uint8], box: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """The image [H, W, C] in RGB, with a frame of one pixel round the box."""
    framed = _rgb(image).copy()
    top, left, bottom, right = box
    for row in (top, bottom - 1):
        framed[row, left:right] = _MARK
    for column in (left, right - 1):
        framed[top:bottom, column] = _MARK
    return framed


def _rgb(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Grey, RGB or RGBA (on white) [H, W, C] -> [H, W, 3]."""
    if image.shape[2] == 1:
        return image.repeat(3, axis=2)
    if image.shape[2] == 3:
        return image
    alpha = image[:, :, 3:].astype(np.float64) / 255
    return (image[:, :, :3] * alpha + 255 * (1 - alpha)).round().astype(np.uint8)
