"""What is known of a run folder: its weights, images, records and caches, as plain values that JSON holds.

`facts_of` is called by make_old_runs.py with the code of the past and by the test with today's; it uses nothing of
gansmith but `gansmith.Run`, the command line, and the files themselves.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import torch
from old_arithmetic import sums
from PIL import Image
from safetensors.torch import load_file
from typer.testing import CliRunner

SECTIONS = ("players", "averaging", "optimizers", "game")
EXACT = ("format", "step", "images", "data", "device", "threads")  # of a checkpoint
NOT_COMPARED = ("seconds", "images_per_second", "waiting", "health", "protocol")  # times, words on them
SEEDS = "0-7"

Facts = dict[str, Any]


def command(*arguments: object) -> str:
    """`gansmith ARGUMENTS` in this process -> what it printed. Raises what the command raised."""
    from gansmith.cli.main import app

    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def facts_of(run: Path, domains: Path, *, images: int | None) -> Facts:
    """Sample from the run in the folder `run`, train it to its end (to `images`, where these are named) and sample
    again; the facts of both moments. domains: where the images of a translation are; both stay in GANSMITH_CACHE."""
    from gansmith import Run

    before = checkpoint(run)
    facts: Facts = {"resumed at": before["step"], "images before": images_of(run, domains)}
    moved = {} if before["experiment"]["data"]["path"] == "digits" else {"data": {"path": str(domains)}}
    Run(run).resume(images=images, **moved)
    after = checkpoint(run)
    return {
        **facts,
        "checkpoint": {key: after[key] for key in EXACT},
        "sections": sections_of(before, after),
        "cards": cards_of(run, after),
        "images after": images_of(run, domains),
        "clock": [[record["step"], record["images"]] for record in records(run)],
        "records": [
            {key: value for key, value in record.items() if key not in NOT_COMPARED} for record in records(run)[-2:]
        ],
        "cache": cached(),
    }


def checkpoint(run: Path) -> Any:
    """The whole state in latest.pt, read without gansmith."""
    return torch.load(run / "checkpoints" / "latest.pt", map_location="cpu", weights_only=True)


def records(run: Path) -> list[dict[str, Any]]:
    """The lines of events.jsonl."""
    return [json.loads(line) for line in (run / "events.jsonl").read_text(encoding="utf-8").splitlines()]


def cached() -> list[str]:
    """The files in GANSMITH_CACHE: KEY/images.npy, KEY/groups-1.npy, features/KEY.npz ..., without locks."""
    root = Path(os.environ["GANSMITH_CACHE"])
    files = (path for path in root.rglob("*") if path.is_file() and path.suffix != ".lock")
    return sorted(path.relative_to(root).as_posix() for path in files)


def cards_of(run: Path, state: Any) -> dict[str, Any]:
    """{player: the card in its model file}, after the file's weights proved equal to the checkpoint's: averaged
    where an average is kept."""
    cards = {}
    for file in sorted((run / "model").glob("*.safetensors")):
        weights = state["averaging"].get(file.stem) or state["players"][file.stem]
        kept = load_file(file)
        assert kept.keys() == weights.keys(), file.name
        assert all(torch.equal(kept[key], value) for key, value in weights.items()), file.name
        with safetensors.safe_open(file, framework="pt") as opened:
            cards[file.stem] = json.loads(opened.metadata()["gansmith"])
        del cards[file.stem]["origin"]["gansmith"]  # its version
    return cards


def sections_of(before: Any, after: Any) -> dict[str, Facts]:
    """{"players/generator": ..., "optimizers/generator": ...} of the state `after`, and how far each has come."""
    sections = {}
    for group in SECTIONS:
        for name, tree in after[group].items():
            sections[f"{group}/{name}"] = section(before[group].get(name), tree)
    return {**sections, "stream": section(before["stream"], after["stream"])}


def section(before: Any, after: Any) -> Facts:
    """Of a tree of tensors and plain values: the digest of everything; of all floats together the count, mean, norm,
    `sums` and the norm of what changed since `before`; all other values as they are."""
    digest, others = hashlib.sha256(), {}
    for where, leaf in leaves(after):
        if isinstance(leaf, torch.Tensor):
            array = leaf.detach().contiguous().numpy()
            digest.update(f"{where} {array.dtype} {array.shape}".encode() + array.tobytes())
            if not counted(where, leaf):
                others[where] = leaf.tolist()
        else:
            digest.update(f"{where} {leaf!r}".encode())
            others[where] = leaf
    then, now = floats(before), floats(after)
    moved = float(np.linalg.norm(now - then)) if then.shape == now.shape else float(np.linalg.norm(now))
    return {"sha256": digest.hexdigest(), **summary(now), "moved": moved, "others": others}


def summary(values: np.ndarray) -> Facts:
    """float64 [N] -> numbers that tell how near two such vectors are to each other (see `old_arithmetic.distance`)."""
    mean = float(values.mean()) if len(values) else 0.0
    return {"count": len(values), "mean": mean, "norm": float(np.linalg.norm(values)), "sums": sums(values)}


def floats(tree: Any) -> np.ndarray:
    """All floating-point tensors of a tree, one after the other: float64 [N]."""
    parts = [leaf for where, leaf in leaves(tree) if counted(where, leaf)]
    return np.concatenate([np.zeros(0), *(part.detach().double().flatten().numpy() for part in parts)])


def counted(where: str, leaf: Any) -> bool:
    """Is this a tensor of floats that rounding may change? An optimizer's count of its steps is none."""
    return isinstance(leaf, torch.Tensor) and leaf.is_floating_point() and not where.endswith(".step")


def leaves(tree: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """("state.0.exp_avg", its value) of nested dictionaries and lists, in their order."""
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from leaves(value, f"{where}.{key}" if where else str(key))
    elif isinstance(tree, (list, tuple)):
        for index, value in enumerate(tree):
            yield from leaves(value, f"{where}.{index}")
    else:
        yield where, tree


def images_of(run: Path, domains: Path) -> Facts:
    """Facts of the images of seeds 0 to 7, or of translations of two images of domain a, by the command line; none of
    a classifier."""
    players = {file.stem for file in (run / "model").glob("*.safetensors")}
    out = run.parent / f"{run.name} images"
    if "generator" in players:
        command("sample", run, "--seeds", SEEDS, "--out", f"{out}/")
    elif players & {"to_b", "b"}:
        styles = ("--styles", 2) if "b" in players else ()
        for name in ("3.bmp", "7.bmp"):
            command("translate", run, domains / "a" / name, f"{out}/", "--to", "b", *styles)
    else:
        return {}
    files = sorted(out.glob("*.png"))
    arrays = []
    for file in files:
        with Image.open(file) as image:
            arrays.append(np.asarray(image))
        file.unlink()
    pixels = np.stack(arrays)
    digest = hashlib.sha256(f"{pixels.dtype} {pixels.shape}".encode() + pixels.tobytes()).hexdigest()
    return {"sha256": digest, "shape": list(pixels.shape), **summary(pixels.astype(np.float64).flatten())}
