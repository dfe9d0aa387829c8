"""One file adds one thing: each kind of the catalog gets one more file, and nothing else is edited.

The files lie in tests/adding, in folders named like those of the package. They are copied into a copy of it, which is
listed, trained and given to the contract tests; `make check` holds them to lint and types where they lie.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import gansmith
from benchmarks import house
from gansmith import catalog

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
ADDED = TESTS / "adding"
FOLDERS = {kind: package.removeprefix("gansmith.").replace(".", "/") for kind, (package, _) in catalog.KINDS.items()}
FILES = {
    kind: sorted(file for file in (ADDED / folder).iterdir() if file.is_file()) for kind, folder in FOLDERS.items()
}
NAMES = {kind: [file.stem for file in files] for kind, files in FILES.items()}
PYTHON = [path for files in FILES.values() for path in files if path.suffix == ".py"]
PROMISES = ("tests/contract", "tests/test_examples.py")
TRAIN = """
import numpy as np, torch
import gansmith
from gansmith.data.open import open_dataset

torch.set_num_threads(1)
run = gansmith.train(recipe="stripes_small", out="run")
last = [record for record in run.records if "discriminator/loss" in record][-1]
assert last["images"] == 128, last
assert last["discriminator/drift"] > 0, last
assert run.experiment.game.name == "generator_first"
looks = [record for record in run.records if any("mean_distance" in key for key in record)]
assert looks, run.records
assert run.sample(range(4)).images.shape == (4, 1, 16, 16)
run.resume(images=256)
assert run.records[-1]["images"] == 256

images = open_dataset("stripes").many(np.arange(64)).image
lines = ["grey 16 16", *(image.tobytes().hex() for image in images)]
open("stripes.grey", "w").write("\\n".join(lines))
source = open_dataset("stripes.grey")
assert np.array_equal(source.backwards().one(0).image, images[-1])
again = gansmith.train("stripes.grey", recipe="stripes_small", game="two_player", images=32, out="again")
assert again.records[-1]["images"] == 32
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a copy of the package that has the new files too."""
    folder = tmp_path_factory.mktemp("package")
    ours = Path(gansmith.__file__).parent
    shutil.copytree(ours, folder / "gansmith")
    for kind, files in FILES.items():
        for file in files:
            target = folder / "gansmith" / FOLDERS[kind] / file.name
            assert not target.exists(), f"the package has {file.name} already: give the test's own another name"
            shutil.copy(file, target)
    return folder


def call(package: Path, *arguments: str, where: Path = ROOT) -> str:
    """The output of Python with these arguments, the copy before every other gansmith."""
    environment = {**os.environ, "PYTHONPATH": str(package), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=where, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def test_there_is_one_of_every_kind() -> None:
    assert all(NAMES.values())
    assert all(len(path.read_text().splitlines()) < 100 for path in PYTHON)


def test_they_are_listed(package: Path) -> None:
    lines = [line.split()[0] for line in call(package, "-m", "gansmith", "list").splitlines() if line.startswith(" ")]
    assert {name for names in NAMES.values() for name in names} <= {*lines}


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: path.stem)
def test_imports_point_downwards(path: Path) -> None:
    module = ".".join(path.relative_to(ADDED).with_suffix("").parts)
    imported = house.imports(path, house.modules())
    assert not house.upward(module, imported)
    assert not house.siblings(module, imported)


def test_they_train(package: Path, tmp_path: Path) -> None:
    """Every new thing in one small training or another; nothing of the package names any of them."""
    call(package, "-c", TRAIN, where=tmp_path)


@pytest.mark.prove
def test_they_do_what_every_entry_of_their_kind_does(package: Path) -> None:
    names = " or ".join(name for names in NAMES.values() for name in names)
    chosen = f"({names}) and not test_adding"
    output = call(package, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", chosen, *PROMISES)
    assert " passed" in output
    assert "failed" not in output
