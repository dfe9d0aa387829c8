"""gansmith arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from typer.testing import Result

from gansmith.cli.arithmetic import arithmetic
from gansmith.errors import OptionError
from gansmith.records.images import to_uint8
from gansmith.runs.run import Run

Command = Callable[..., Result]


def result_of(path: Path, rows: int = 4) -> np.ndarray:
    """The picture in the lower right corner, without the half that its label covers."""
    with Image.open(path) as picture:
        sheet = np.asarray(picture)
    times = sheet.shape[0] // (2 + rows * 18)
    end, side = -2 * times, 16 * times
    return sheet[end - side // 2 : end, end - side : end][::times, ::times]


def test_the_sheet(run_command: Command, models: Path, tmp_path: Path) -> None:
    out = tmp_path / "sheet.png"
    result = run_command(
        arithmetic, models, "--plus", "1,4,9", "--minus", "2,3,5", "--plus", "7,8,6", "--out", out, "--device", "cpu"
    )
    assert result.exit_code == 0, result.exception
    assert result.stdout == f"16 images -> {out}\n"
    renderer = Run(models).renderer(device="cpu")
    means = [renderer.latents(seeds).mean(0) for seeds in ([1, 4, 9], [7, 8, 6], [2, 3, 5])]
    expected = to_uint8(renderer.render((means[0] + means[1] - means[2])[None]))[0, 8:]
    np.testing.assert_allclose(result_of(out).astype(int), expected, atol=1)


def test_the_order_of_the_terms_does_not_matter(run_command: Command, models: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "a.png", tmp_path / "b.png"
    run_command(arithmetic, models, "--plus", "1,4,9", "--minus", "2,3,5", "--plus", "7,8,6", "--out", first)
    run_command(arithmetic, models, "--minus", "5,3,2", "--plus", "7,8,6", "--plus", "1,4,9", "--out", second)
    np.testing.assert_array_equal(result_of(first), result_of(second))


def test_minus_is_minus(run_command: Command, models: Path, tmp_path: Path) -> None:
    run_command(arithmetic, models, "--plus", "1", "--minus", "1", "--plus", "4", "--out", tmp_path / "a.png")
    expected = to_uint8(Run(models).sample(seeds=[4], device="cpu").images)[0, 8:]
    shown = result_of(tmp_path / "a.png")
    assert shown.shape == expected.shape
    torch.testing.assert_close(torch.tensor(shown).float(), torch.tensor(expected).float(), atol=1, rtol=0)


def test_errors(run_command: Command, models: Path, tmp_path: Path) -> None:
    result = run_command(arithmetic, models, "--plus", "1,,4", "--out", tmp_path / "a.png")
    assert isinstance(result.exception, OptionError)
    assert str(result.exception).startswith("seeds are whole numbers and ranges")
    result = run_command(arithmetic, models, "--minus", "1", "--out", tmp_path / "a.png")
    assert result.exit_code == 2
    assert "--plus" in result.output


def test_only_the_result(run_command: Command, models: Path, tmp_path: Path) -> None:
    """As large as the generator makes it, pixel for pixel; the file says how it was made."""
    terms = ["--plus", "1,4,9", "--minus", "2,3,5", "--only", "result", "--device", "cpu"]
    result = run_command(arithmetic, models, *terms, "--out", tmp_path / "one.png")
    assert result.exit_code == 0, result.exception
    assert result.stdout == f"1 images -> {tmp_path}/one.png\n"
    renderer = Run(models).renderer(device="cpu")
    latent = renderer.latents([1, 4, 9]).double().mean(0) - renderer.latents([2, 3, 5]).double().mean(0)
    with Image.open(tmp_path / "one.png") as image:
        np.testing.assert_array_equal(np.asarray(image), to_uint8(renderer.render(latent.float()[None]))[0])
        assert '"only":"result"' in image.info["gansmith"]
    run_command(arithmetic, models, *terms, "--no-metadata", "--out", tmp_path / "two.png")
    with Image.open(tmp_path / "two.png") as image:
        assert image.info == {}
    run_command(arithmetic, models, *terms, "--out", f"{tmp_path}/folder/")
    assert (tmp_path / "folder" / "result.png").read_bytes() == (tmp_path / "one.png").read_bytes()
