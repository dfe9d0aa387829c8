"""The `gansmith` lines of the pages in RUN run, on stand-ins for the images and runs that they name.

Trainings are long: their lines run with `--dry-run`, which reads the images, builds the networks and measures a step.
A line whose comment says how long it takes ("half an hour") is only parsed, as is one that names what no machine has by
itself: a placeholder in capitals (`RUN`, `FILE`), weights to be downloaded, a latent file of one's own, a hub.
Of the other pages tests/test_docs.py asks that commands and options exist.
"""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import gansmith
from forked import fork
from test_docs import ROOT

pytestmark = [pytest.mark.prove, pytest.mark.timeout(1800)]

RUN = ("blindtest", "export", "inside", "latent", "memorisation", "methods/lsgan")
LONG = re.compile(r"\b(minutes?|hours?|seconds?|days?)\b")
PLACEHOLDER = re.compile(r"(?<![\w.-])[A-Z]{2,}(?![\w-])|\b[A-Z]\b|\.\.\.")
FOREIGN = (
    "mobilenet",
    "vgg16.ckpt",
    "projected_small",
    "fashion-classifier",
    "--runtime",
    "start_raw",
    "mine.safetensors",
    "--space w",
    "gansmith push",  # sends
    "gansmith explore",  # serves until it is ended
)
STAND_INS = {"cifar10": "labelled/", "fashion-mnist": "labelled/", "mnist": "labelled/", "/elsewhere/photos": "photos/"}
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
    if LONG.search(comment) and not command.startswith("gansmith train"):
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
    for name, folder in (
        ("made", "paintings"),
        ("photos", "photos"),
        ("emoji_google", "cats"),
        ("emoji_twitter", "dogs"),
    ):
        shutil.make_archive(str(root / name), "zip", root / folder)


def write_runs(root: Path) -> None:
    plain = gansmith.train("labelled", out="runs/photos", **SMALL, **CLASSIC).path
    for name in ("a", "b", "c", "faces"):
        shutil.copytree(plain, root / "runs" / name)
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


@pytest.mark.parametrize("name", RUN)
def test_the_commands_of_a_page_run(name: str, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = ROOT / "docs" / f"{name}.md"
    assert commands(page)
    monkeypatch.chdir(shutil.copytree(world, tmp_path / "here"))
    failed = []
    for line in commands(page):
        if told_to_be_long_or_elsewhere(line):
            continue
        words = [STAND_INS.get(word, word) for word in shlex.split(line, comments=True)[1:]]
        if words[0] == "train":
            words += ["--dry-run", *([] if "--size" in words else ["--size", "32"])]
        elif "--out" in words:
            words.append("--force")
        with fork(*words) as process:
            _, said = process.communicate(timeout=300)
        if process.returncode != 0:
            failed.append(f"{line}\n    {process.returncode} {said[-400:]}")
    assert not failed, "\n".join(failed)
