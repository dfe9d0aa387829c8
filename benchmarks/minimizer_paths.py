"""The paths of the minimisers in Rosenbrock's valley, a panel each, as one image."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from benchmarks.minimizer_problems import NEAR, problems
from benchmarks.minimizer_rates import RULES, fastest
from gansmith import catalog
from gansmith.minimize import minimize

LEFT, RIGHT, BOTTOM, TOP = -1.7, 1.7, -0.6, 1.9  # of the plane
WIDTH, HEIGHT, HEAD, GAP, COLUMNS = 300, 220, 44, 12, 3  # pixels
SCALE = 2  # drawn larger by that, then reduced
MOST = 2_000  # evaluations
INK, PATH, START, END = (32, 36, 44), (190, 40, 30), (32, 36, 44), (20, 120, 60)
OPTIONS: dict[str, dict[str, Any]] = {"sgd": {"momentum": 0.9}}


def draw() -> Image.Image:
    """All methods of the catalog, in its order; the first-order ones with the rate that gets there first, or lowest."""
    names = catalog.names("minimizers")
    rows = -(-len(names) // COLUMNS)
    size = (COLUMNS * (WIDTH + GAP) + GAP, rows * (HEIGHT + HEAD + GAP) + GAP)
    image = Image.new("RGB", (size[0] * SCALE, size[1] * SCALE), "white")
    for place, name in enumerate(names):
        options = {**OPTIONS.get(name, {}), **_rate(name)}
        column, row = place % COLUMNS, place // COLUMNS
        corner = GAP + column * (WIDTH + GAP), GAP + row * (HEIGHT + HEAD + GAP)
        image.paste(_panel(name, options), (corner[0] * SCALE, corner[1] * SCALE))
    return image.resize(size, Image.Resampling.LANCZOS)


def _rate(name: str) -> dict[str, float]:
    return {"lr": fastest(problems()["Rosenbrock, n = 2"], name, MOST)[0]} if name in RULES else {}


def _panel(name: str, options: dict[str, Any]) -> Image.Image:
    problem = problems()["Rosenbrock, n = 2"]
    result = minimize(
        problem,
        problem.start,
        method=name,
        gradient=True,
        evaluations=MOST,
        target=NEAR,
        keep_path=True,
        **options,
    )
    assert result.path is not None
    panel = Image.new("RGB", (WIDTH * SCALE, (HEIGHT + HEAD) * SCALE), "white")
    panel.paste(_valley(), (0, HEAD * SCALE))
    canvas = ImageDraw.Draw(panel)
    points = [_place(*point) for point in result.path.tolist()]
    canvas.line(points, fill=PATH, width=2 * SCALE, joint="curve")
    if len(points) < 60:
        for point in points:
            _dot(canvas, point, 2, PATH)
    _dot(canvas, points[0], 5, START)
    _dot(canvas, _place(1.0, 1.0), 5, END)
    canvas.rectangle((0, 0, WIDTH * SCALE, HEAD * SCALE - 1), fill="white")
    rate = f", rate {options['lr']:g}" if "lr" in options else ""
    reached = f"{result.evaluations:,} evaluations" if result.converged else f"{result.value:.1g} after {MOST:,}"
    canvas.text((2, 0), f"{name}{rate}", fill=INK, font=ImageFont.load_default(18 * SCALE))
    canvas.text((2, 22 * SCALE), reached, fill=INK, font=ImageFont.load_default(15 * SCALE))
    return panel


def _valley() -> Image.Image:
    """Bands of the function's logarithm, darker where it is lower."""
    x = torch.from_numpy(np.linspace(LEFT, RIGHT, WIDTH * SCALE))
    y = torch.from_numpy(np.linspace(TOP, BOTTOM, HEIGHT * SCALE))[:, None]
    value = (100 * (y - x**2) ** 2 + (1 - x) ** 2).numpy()
    bands = np.clip(np.floor(2 * np.log10(value + 1e-2)) / 2, -1.5, 3.0)
    share = ((bands + 1.5) / 4.5)[..., None]
    pixels = (1 - share) * np.array([168, 192, 224]) + share * np.array([246, 248, 252])
    return Image.fromarray(pixels.astype(np.uint8))


def _place(x: float, y: float) -> tuple[float, float]:
    across, down = (x - LEFT) / (RIGHT - LEFT), (TOP - y) / (TOP - BOTTOM)
    return across * WIDTH * SCALE, (HEAD + down * HEIGHT) * SCALE


def _dot(canvas: ImageDraw.ImageDraw, centre: tuple[float, float], radius: float, colour: tuple[int, int, int]) -> None:
    x, y = centre
    size = radius * SCALE
    canvas.ellipse((x - size, y - size, x + size, y + size), fill=colour)
