"""An entry of the gallery from a run: python -m benchmarks.gallery RUN NAME --set "hand signs" --minutes 15
--machine "one core of ..." --licence Apache-2.0

Writes src/gansmith/gallery/NAME.jpg, two rows of the first 16 samples, none chosen, and NAME.json. Only images whose
licence allows that what was trained on them is shown: see FREE in runs/gallery.py.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from gansmith.data.prepare import prepare
from gansmith.records.images import draw_sheet, save_image
from gansmith.runs.gallery import FOLDER, FREE, Entry, kind_of
from gansmith.runs.run import Run
from gansmith.system.files import write_text

COLUMNS, ROWS = 8, 2
QUALITY_SIDE = 64  # pixels of an image on the strip, at most


def entry_of(run: Run, name: str, *, words: str, minutes: float, machine: str, licence: str) -> Entry:
    """What the run's experiment and images say, and what only a person knows."""
    experiment = run.experiment
    data = prepare(experiment.data)
    channels, height, width = data.shape
    some = np.asarray(data.train[np.arange(min(64, len(data.train)))].image)
    return Entry.model_validate(
        {
            "name": name,
            "set": words,
            "kind": kind_of(some),
            "images": len(data.train),
            "size": max(height, width),
            "channels": channels,
            "labelled": data.labelled,
            "minutes": minutes,
            "recipe": experiment.recipe,
            "machine": machine,
            "licence": licence,
        }
    )


def write_entry(run: Run, entry: Entry, folder: Path = FOLDER) -> None:
    """NAME.jpg and NAME.json in `folder`."""
    images = run.sample(range(COLUMNS * ROWS)).images
    scale = max(1, QUALITY_SIDE // max(images.shape[-2:]))
    save_image(draw_sheet(images, columns=COLUMNS, scale=scale), folder / f"{entry.name}.jpg")
    write_text(folder / f"{entry.name}.json", entry.model_dump_json(indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run")
    parser.add_argument("name")
    parser.add_argument("--set", required=True, dest="words")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--machine", required=True)
    parser.add_argument("--licence", required=True, choices=FREE)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    arguments = vars(parser.parse_args())
    run, folder = Run(arguments.pop("run")), arguments.pop("folder")
    write_entry(run, entry_of(run, arguments.pop("name"), **arguments), folder)


if __name__ == "__main__":
    main()
