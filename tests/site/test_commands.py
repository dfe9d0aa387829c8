"""The `gansmith` lines of all pages run, on stand-ins for the images and runs that they name; a training once.

Trainings are long: their lines run with `--dry-run`, which reads the images, builds the networks and measures a step.
A line whose comment says how long it takes ("half an hour"), or "on a GPU", is only parsed, as is one that names what
no machine has by itself: a placeholder in capitals (`RUN`, `FILE`), weights to be downloaded, a latent file of one's
own, a hub. Of those tests/test_docs.py asks that commands and options exist. The tutorials run in
tests/test_tutorials.py.
"""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image

import gansmith
from forked import fork
from test_docs import ROOT

pytestmark = [pytest.mark.prove, pytest.mark.timeout(1800)]

FIRST = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
PAGES = [*FIRST, *(page for page in sorted((ROOT / "docs").rglob("*.md")) if page.parent.name != "tutorials")]
LONG = re.compile(r"\b(minutes?|hours?|seconds?|days?)\b")
PLACEHOLDER = re.compile(r"(?<![\w.-])[A-Z]{2,}(?![\w-])|\b[A-Z]\b|\.\.\.")
FOREIGN = (
    "mobilenet",
    "vgg16.ckpt",
    "projected_small",
    "runs/small",  # begun by the line before, which is not trained here
    "fashion-classifier",
    "--runtime",
    "start_raw",
    "mine.safetensors",
    "--space w",
    "train --recipe cut_night",  # reads CIFAR-10
    "--method labels",  # reads the photographs of the hands
    "class_5",
    "gansmith push",  # sends
    "gansmith explore",  # serves until it is ended
)
STAND_INS = {
    **dict.fromkeys(("cifar10", "fashion-mnist", "mnist"), "labelled/"),
    "/elsewhere/photos": "photos/",
    "runs/a@000050000": "runs/a@000000016",
}
CLASSES = ("generator.name=biggan", "darknet_fashion")  # their photos/ must hold classes, as their pages say
ONE_AT_A_TIME = ("cut_garments", "cut_night")  # as are the recipes of --set data.other
SHORTER = {
    "--train-encoder": ["--images", "64"],
    "pix2pix": ["--set", "translator.downs=null"],  # it is of 256 px
}
SMALL = {"images": 32, "batch": 16, "device": "cpu", "size": 16, "checkpoint_every": 32, "sheet": 4, "holdout": 0.25}
CLASSIC = {"generator": {"name": "dcgan", "width": 4}, "discriminator": {"name": "dcgan", "width": 4}}
FOLDERS = ("photos", "paintings", "horses", "zebras", "cats", "dogs", "labels", "ffhq")
IMAGES = ("holiday.jpg", "horse.jpg", "photo.jpg", "cat.jpg", "cat.png", "dog.jpg", "painting.jpg", "label.png")


def commands(page: Path) -> list[str]:
    """The `gansmith` lines of a page's blocks, each once, with its comment."""
    text = page.read_text().replace("\\\n", " ")
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("gansmith ")]
    return list(dict.fromkeys(lines))


def told_to_be_long_or_elsewhere(line: str) -> bool:
    command, _, comment = line.partition("  #")
    if "GPU" in comment or (LONG.search(comment) and not command.startswith("gansmith train")):
        return True
    return bool(PLACEHOLDER.search(command)) or any(word in command for word in FOREIGN)


def image(seed: int, side: int = 16, wide: int = 1) -> Image.Image:
    """Soft noise: no two alike."""
    noise = np.random.default_rng(seed).integers(0, 256, (4, 4 * wide, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((side * wide, side), Image.Resampling.BICUBIC)


def write_images(root: Path) -> None:
    for at, name in enumerate(FOLDERS):
        (root / name).mkdir()
        for number in range(48):
            image(1000 * at + number).save(root / name / f"{number:03}.png")
    (root / "facades").mkdir()
    for number in range(48):
        image(number, wide=2).save(root / "facades" / f"{number:03}.png")
    for label in range(10):
        (root / "labelled" / str(label)).mkdir(parents=True)
        for number in range(12):
            image(100 * label + number).save(root / "labelled" / str(label) / f"{number:03}.png")
    for at, name in enumerate(IMAGES):
        image(77_000 + at).save(root / name)
    for name, folder in (("made", "paintings"), ("photos", "photos")):
        shutil.make_archive(str(root / name), "zip", root / folder)
    for name, folder in (("emoji_google", "cats"), ("emoji_twitter", "dogs")):
        with ZipFile(root / f"{name}.zip", "w") as archive:
            for file in sorted((root / folder).iterdir()):
                archive.write(file, f"emoji/{file.name}")


def write_runs(root: Path) -> None:
    plain = gansmith.train("labelled", out="runs/photos", **SMALL, **CLASSIC).path
    shutil.copytree(plain, root / "runs" / "faces")
    often = {**SMALL, "checkpoint_every": 16, "keep_every": 16}
    for seed, name in enumerate("abc", start=1):  # a discriminator plays only against generators of other runs
        gansmith.train("labelled", out=f"runs/{name}", seed=seed, **often, **CLASSIC)
    classes = {part: {**options, "conditional": True} for part, options in CLASSIC.items()}
    shutil.copytree(gansmith.train("digits", out="runs/digits", **SMALL, **classes).path, root / "runs" / "classes")
    shutil.copytree(gansmith.zoo.folder("hand_signs") or "", root / "runs" / "hands")
    pairs = {"paired": "labels-pix2pix emoji-pix2pix emoji_google-pix2pix_emoji pairs", "cut": "horses-cut outlines"}
    others = {
        "cycle": "horses-cyclegan emoji_google-cyclegan_emoji emoji-cyclegan",
        "multimodal": "cats-munit photos-munit",
    }
    for game, names in {**pairs, **others}.items():
        first, *rest = names.split()
        recipe = {
            "paired": "pix2pix_emoji",
            "cut": "cut_garments",
            "cycle": "cyclegan_emoji",
            "multimodal": "munit_emoji",
        }
        narrow = ["translator.width=4"] if game != "multimodal" else ["autoencoder.width=4"]
        data = {"path": "photos", "other": "paintings", "channels": 3, "disjoint": False, "holdout_by": "similar"}
        fields = {**SMALL, "data": {**data, "size": 16, "holdout": 0.25}}
        fields = {key: value for key, value in fields.items() if key not in ("size", "holdout")}
        run = gansmith.train(recipe=recipe[game], assignments=narrow, out=f"runs/{first}", **fields)
        for name in (*rest, *(["cycle"] if game == "cycle" else [])):
            shutil.copytree(run.path, root / "runs" / name)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        write_images(root)
        write_runs(root)
    return root


def words_of(line: str) -> list[str]:
    """The arguments with which a line is run here."""
    words = [STAND_INS.get(word, word) for word in shlex.split(line, comments=True)[1:]]
    words = ["labelled/" if word == "photos/" and {*CLASSES} & {*words} else word for word in words]
    shorter = [more for word in words for more in SHORTER.get(word, ())]
    if words[0] == "train":
        small = [] if "--size" in words or "ring" in words else ["--size", "32"]
        told = any(word.startswith(("batch=", "data.other=")) or word in ONE_AT_A_TIME for word in words)
        few = [] if told else ["--set", "batch=4"]
        return [*words, "--dry-run", *small, *few, *shorter]
    forced = ["--force"] if "--out" in words else []
    return [*words, *forced, *shorter]


def once(lines: list[str], before: set[tuple[str, ...]]) -> list[str]:
    """Those that no page before has, of trainings and checks, on whose files no other line hangs."""
    new = [line for line in lines if words_of(line)[0] not in {"train", "data"} or tuple(words_of(line)) not in before]
    before |= {tuple(words_of(line)) for line in new}
    return new


RUNNABLE = {page: [line for line in commands(page) if not told_to_be_long_or_elsewhere(line)] for page in PAGES}
BEFORE: set[tuple[str, ...]] = set()
LINES = {page: new for page, lines in RUNNABLE.items() if (new := once(lines, BEFORE))}


@pytest.mark.parametrize("page", LINES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_a_page_run(page: Path, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shutil.copytree(world, tmp_path / "here"))
    failed = []
    for line in LINES[page]:
        with fork(*words_of(line)) as process:
            _, said = process.communicate(timeout=300)
        if process.returncode != 0:
            failed.append(f"{line}\n    {process.returncode} {said[-400:]}")
    assert not failed, "\n".join(failed)
