"""Makes what test_old_runs.py reads: runs/ (the folders), cache/ and facts.json, with the gansmith that is installed.

    python tests/old_runs/make_old_runs.py [--work /tmp/old-runs] [NAME ...]

The files here were made with commit a40f182, before the modules moved. Made anew with another commit they say what that
commit does; so do it only where a run's numbers were meant to change, or for a run that did not exist, and say so.
Killed runs are ended by SIGKILL, between two checkpoints, in a process of their own.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import old_arithmetic
import old_facts
import PIL
import torch
from old_settings import ENDED, KILLED, LONGER, LONGER_TRANSLATION, SETTINGS, write_domains

HERE = Path(__file__).parent
KEPT = ("experiment.yaml", "events.jsonl", "checkpoints/latest.pt", "model")
DRAWN = ("--samples", 24, "--repeats", 1, "--real", 40)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("/tmp/old-runs"), help="a folder to work in; it is emptied")
    parser.add_argument("--train", help=argparse.SUPPRESS)  # the name of a run, in a process of its own
    parser.add_argument("names", nargs="*", help="only these runs, the others stay as they are")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.train:
        train(arguments.train)
        return
    recorded: dict[str, Any] = {"runs": {}}
    if arguments.names:
        recorded = json.loads((HERE / "facts.json").read_text(encoding="utf-8"))
        if machine(recorded["shapes"]) != recorded["machine"]:
            raise SystemExit(
                "the other runs were recorded on a processor, or with a torch, of other arithmetic: make all"
            )
    os.environ["GANSMITH_CACHE"] = str(arguments.work / "cache")
    shutil.rmtree(arguments.work, ignore_errors=True)
    arguments.work.mkdir(parents=True)
    os.chdir(arguments.work)
    write_domains(Path("domains"))
    names = arguments.names or list(SETTINGS)
    for name in names:
        make(name)
    for name in names:
        recorded["runs"][name] = facts(name)
        print(name, flush=True)
    os.environ["GANSMITH_CACHE"] = str(Path("judged").absolute())
    judge(HERE / "runs", arguments.work)
    recorded["judged"] = old_facts.cached()
    shutil.rmtree(HERE / "cache", ignore_errors=True)
    shutil.copytree("judged", HERE / "cache", ignore=shutil.ignore_patterns("*.lock"))
    shapes = sorted({shape for name in SETTINGS for shape in shapes_of(HERE / "runs" / name)})
    recorded |= {"machine": machine(shapes), "shapes": shapes}
    (HERE / "facts.json").write_text("\n".join(lines(recorded)) + "\n", encoding="utf-8")


def machine(shapes: Iterable[Sequence[int]]) -> dict[str, str]:
    """What must be equal for equal bits, by weights of these shapes; and Pillow, which is in the keys of caches."""
    return {
        "torch": str(torch.__version__),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "arithmetic": old_arithmetic.digest(shapes),
        "pillow": PIL.__version__,
    }


def train(name: str) -> None:
    """Begin the run in runs/NAME; a killed one dies in the backward pass after the first record that its checkpoint
    does not know."""
    folder = Path("runs") / name
    if name.endswith(KILLED):
        backward = torch.Tensor.backward
        known: list[int] = []

        def dying(*args: Any, **kwargs: Any) -> None:
            if (folder / "checkpoints" / "latest.pt").exists():
                known.append(len(old_facts.records(folder)))
                if known[-1] > known[0]:
                    os.kill(os.getpid(), signal.SIGKILL)
            backward(*args, **kwargs)

        torch.Tensor.backward = dying  # type: ignore[assignment]
    begin(name, folder, Path("domains"))


def begin(name: str, out: Path, domains: Path) -> None:
    """Train from the first image to the last that the settings of the run ask for, into the folder `out`."""
    import gansmith

    settings = dict(SETTINGS[name])
    path, recipe = settings.pop("path", domains), settings.pop("recipe", None)
    gansmith.train(path, recipe=recipe, out=str(out), **settings)


def make(name: str) -> None:
    """The run, and of its folder what is kept."""
    done = subprocess.run([sys.executable, __file__, "--train", name], check=False, capture_output=True, text=True)
    assert done.returncode == (-signal.SIGKILL if name.endswith(KILLED) else 0), done.stderr
    target = HERE / "runs" / name
    shutil.rmtree(target, ignore_errors=True)
    for part in KEPT:
        source = Path("runs") / name / part
        (target / part).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target / part)
        else:
            shutil.copy(source, target / part)


def facts(name: str) -> dict[str, Any]:
    """Those of the kept run after it was trained to its end, with a cache of its own."""
    place = Path("facts") / name
    shutil.copytree(HERE / "runs" / name, place)
    os.environ["GANSMITH_CACHE"] = str(Path("caches").absolute() / name)
    return old_facts.facts_of(place, Path("domains").absolute(), images=longer(name))


def longer(name: str) -> int | None:
    """Images that an ended run is trained on to; None for a killed one, which goes to its own end."""
    return LONGER.get(name, LONGER_TRANSLATION) if name.endswith(ENDED) else None


def judge(runs: Path, out: Path) -> None:
    """Judge two ended runs by their pixels and by a classifier, and the classifier itself; reports go below `out`."""
    run, classifier = runs / "two_player_ended", runs / "classify_ended"
    for features in (("pixels",), ("classifier", "--weights", classifier)):
        old_facts.command("evaluate", run, *DRAWN, "--features", *features, "--out", out / f"by {features[0]}")
    old_facts.command("evaluate", classifier, "--out", out / "of the classifier")


def shapes_of(run: Path) -> list[tuple[int, ...]]:
    """Of the matrices and kernels of its networks."""
    players = old_facts.checkpoint(run)["players"].values()
    return [tuple(value.shape) for player in players for value in player.values() if value.dim() in (2, 4)]


def lines(tree: Any, depth: int = 3, indent: str = "") -> Iterator[str]:
    """JSON in which each entry of the first levels has a line of its own, so that two versions can be compared."""
    if not depth or not isinstance(tree, dict) or not tree:
        yield indent + json.dumps(tree)
        return
    yield indent + "{"
    for place, (key, value) in enumerate(tree.items(), 1):
        inner = list(lines(value, depth - 1, indent + " "))
        inner[0] = f"{indent} {json.dumps(key)}: {inner[0].strip()}"
        inner[-1] += "," * (place < len(tree))
        yield from inner
    yield indent + "}"


if __name__ == "__main__":
    main()
