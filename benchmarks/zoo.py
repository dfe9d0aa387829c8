"""Train the zoo: small models of freely licensed images, that a run may begin with (`gansmith train --from NAME`).

    python -m benchmarks.zoo                                      # which there are, which are kept, how large they are
    python -m benchmarks.zoo digits emoji --data FOLDER --runs runs/zoo
    python -m benchmarks.zoo emoji --runs runs/zoo --keep         # look at the sheet first, then keep it
    python -m benchmarks.zoo --picture docs/pictures/zoo.webp

Training leaves a run in RUNS/NAME: what `gansmith train` chooses for these images and one thread, or a `--recipe`.
`--keep` writes what the package ships into src/gansmith/zoo/NAME: experiment.yaml, the model files in half precision, a
sheet, and README.md with sources and licences. The images of `hand_signs` and `emoji` are files of FOLDER; the others
are known by name.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from PIL import Image

import gansmith
from gansmith import zoo
from gansmith.models import saved

ENLARGED = 3  # a sheet of 32 px has 3 x 3 pixels for each
WIDE, GAP = 560, 16  # pixels of each sheet in the picture of all, and between two
PACKAGE = Path(zoo.__file__).parent


class Entry(NamedTuple):
    """A set of images: its name or file, settings of its own, and whose it is."""

    data: str
    settings: tuple[str, ...]
    subject: str
    source: str
    licence: str


ENTRIES = {
    "digits": Entry(
        "digits",
        (),
        "handwritten digits, grey",
        "E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits (UCI), as scikit-learn ships it",
        "CC BY 4.0",
    ),
    "fashion": Entry(
        "fashion-mnist",
        (),
        "garments, grey",
        "H. Xiao, K. Rasul, R. Vollgraf 2017: Fashion-MNIST, Zalando Research",
        "MIT",
    ),
    "hand_signs": Entry(
        "signdigits100_jpg.zip",
        (),
        "photographs of hands that sign digits",
        "Z. Dikle, A. Mavi: Sign Language Digits Dataset, Turkey Ankara Ayranci Anadolu High School",
        "Apache-2.0",
    ),
    "emoji": Entry("emoji_google.zip", ("data.channels=3",), "emoji on white", "Google: Noto Emoji", "Apache-2.0"),
}


def train(name: str, *, data: Path, run: Path, recipe: str | None, images: str | None, settings: Sequence[str]) -> None:
    """The run of an entry, begun or continued. Without a recipe: the default's recipe, length and precision."""
    entry = ENTRIES[name]
    path = data / entry.data if entry.data.endswith(".zip") else entry.data
    chosen = [*entry.settings, *settings]
    options: dict[str, Any] = {"size": 32, "seed": 0, "threads": 1, "checkpoint_every": "100k"}
    if recipe is not None:
        options |= {"precision": "bfloat16"}
    gansmith.train(path, recipe=recipe, images=images, assignments=chosen, out=str(run), **options)


def keep(name: str, run: Path) -> None:
    """Write what the package ships of a run, in half precision."""
    entry, folder = ENTRIES[name], PACKAGE / name
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "model").mkdir(parents=True)
    files = {}
    for file in sorted((run / "model").glob("*.safetensors")):
        card, state = saved.read_card(file), saved.read_state(file)
        origin = {**card.origin, "data": entry.subject, "source": entry.source, "licence": entry.licence}
        halves = {key: value.half() if value.is_floating_point() else value for key, value in state.items()}
        if not all(bool(value.isfinite().all()) for value in halves.values()):
            raise SystemExit(f"{file}: not finite in half precision")
        files[card.player] = (replace(card, origin=origin), halves)
    saved.save(folder / "model", files)
    experiment = yaml.safe_load((run / "experiment.yaml").read_text(encoding="utf-8"))
    experiment["data"]["path"] = entry.data
    experiment["out"] = None
    (folder / "experiment.yaml").write_text(yaml.safe_dump(experiment, sort_keys=False), encoding="utf-8")
    with Image.open(max((run / "samples").glob("*.png"))) as sheet:
        pixels = sheet.resize((sheet.width // ENLARGED, sheet.height // ENLARGED), Image.Resampling.NEAREST)
    pixels.save(folder / "samples.png", optimize=True)
    text = f"""# {name}: {entry.subject}

{kind_of(experiment)} after {experiment["images"]:,} images at 32 x 32; `samples.png` is its last sheet.
To begin with it: `gansmith train PATH --from {name}`.

Trained on: {entry.source}. Licence of the images: {entry.licence}.
"""
    (folder / "README.md").write_text(text, encoding="utf-8")


def kind_of(experiment: Mapping[str, Any]) -> str:
    """What was trained, by its recipe; of a run begun without one, by its generator."""
    if experiment["recipe"] is not None:
        return f"The recipe {experiment['recipe']}"
    return f"A generator of the kind {experiment['generator']['name']}"


def draw(file: Path) -> None:
    """The last sheets of all that are kept in one picture, two beside each other, made equally wide."""
    sheets = [Image.open(PACKAGE / name / "samples.png").convert("RGB") for name in ENTRIES]
    sheets = [sheet.resize((WIDE, WIDE * sheet.height // sheet.width), Image.Resampling.BICUBIC) for sheet in sheets]
    high = max(sheet.height for sheet in sheets)
    picture = Image.new("RGB", (2 * WIDE + GAP, -(-len(sheets) // 2) * (high + GAP) - GAP), "white")
    for number, sheet in enumerate(sheets):
        picture.paste(sheet, (number % 2 * (WIDE + GAP), number // 2 * (high + GAP)))
    picture.save(file, quality=88, method=6)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.zoo", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*ENTRIES, []], metavar="NAME")
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--runs", type=Path, default=Path("runs/zoo"))
    parser.add_argument("--recipe", help="instead of what `gansmith train` chooses for these images")
    parser.add_argument("--images", help="instead of the recipe's length")
    parser.add_argument("--set", action="append", default=[], dest="settings")
    parser.add_argument("--keep", action="store_true", help="write the trained run into the package")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw what is kept: docs/pictures/zoo.webp")
    chosen = parser.parse_args()
    for name in chosen.names:
        run = chosen.runs / name
        if chosen.keep:
            keep(name, run)
        else:
            options = {"recipe": chosen.recipe, "images": chosen.images, "settings": chosen.settings}
            train(name, data=chosen.data, run=run, **options)
    if chosen.picture:
        draw(chosen.picture)
    for name, entry in ENTRIES.items():
        folder = PACKAGE / name
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        print(f"{name:12} {entry.subject}, {entry.licence}: {f'{size / 2**20:.2f} MiB' if size else 'not kept'}")


if __name__ == "__main__":
    main()
