"""What the page says of a run, read from its files: no network is built."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from gansmith.errors import GansmithError
from gansmith.models import saved
from gansmith.models.saved import Card
from gansmith.runs.folder import directions_file, is_run, models_of
from gansmith.runs.lock import is_locked
from gansmith.runs.stars import read_stars
from gansmith.system.text import printable
from gansmith.web.digests import digest_of, model_files
from gansmith.web.event_records import number_of, plain
from gansmith.web.known_experiments import experiment_of
from gansmith.web.latent_store import stored_latents
from gansmith.web.progress_facts import health_of, images_drawn, seconds_left, steady_rate, trained_on
from gansmith.web.sheet_files import newest_sheet

_TAIL = 1 << 16  # bytes of the newest records


def summary(name: str, path: Path) -> dict[str, Any]:
    """The run in short; `error` where its files are damaged, or it has no model yet."""
    said: dict[str, Any] = {
        **{"name": name, "images": 0, "digest": None, "size": None, "channels": None, "classes": []},
        **{"conditional": False, "game": None, "recipe": None, "translates": None, "styles": False, "generates": False},
        **{"state": state_of(path), "sheet": newest_sheet(path)},
    }
    try:
        experiment = experiment_of(path) if is_run(path) else None
        if experiment is not None:
            said |= {"game": experiment.game.name, "recipe": experiment.recipe}
        model = models_of(path)
        cards = {card.player: card for card in map(saved.read_card, model_files(model))}
        if not cards:
            return said | {"error": "it has no model yet: it is written with the first checkpoint"}
        return said | _of_cards(cards) | {"digest": digest_of(model)}
    except (GansmithError, OSError) as error:
        return said | {"error": printable(error)}


def facts(name: str, path: Path) -> dict[str, Any]:
    """The run in short, and what can be asked of it."""
    said = summary(name, path)
    records, (total, time) = newest_records(path), length_of(path)
    training = said["state"] == "training"
    drawn = images_drawn(path, records[-1] if records else {}, said["sheet"], training=training)
    newest: dict[str, Any] = next((row for row in reversed(records) if "seconds" in row), {})
    said |= {"images": drawn or said["images"], "total": total, "record": plain(newest), "health": health_of(records)}
    rate = steady_rate(records) if training else number_of(newest.get("images_per_second"))
    left = seconds_left(records, said["images"], total=total, time=time) if training else None
    said |= {"rate": rate, "left": left}
    said |= {"spaces": [], "prior": None, "truncation": False}
    generator = None
    with suppress(GansmithError, OSError):
        generator = next((saved.read_card(f) for f in model_files(models_of(path)) if f.stem == "generator"), None)
    if generator is not None and generator.role == "generator":
        in_w = generator.model == "stylegan2"
        said["spaces"] = ["z", "w"] if in_w else ["z"]
        said["prior"] = {"kind": generator.prior.kind, "size": generator.prior.size}
        said["truncation"] = in_w or generator.prior.kind == "normal"
    return said | {
        "domains": said["translates"] and ["a", "b"],
        "directions": _directions(path, said["digest"]),
        "latents": stored_latents(path),
        "stars": _stars(path),
    }


def _stars(path: Path) -> int:
    with suppress(GansmithError):
        return len(read_stars(path))
    return 0


def _of_cards(cards: dict[str, Card]) -> dict[str, Any]:
    from gansmith.latent.translate import directions

    card = cards.get("generator") or next(iter(cards.values()))
    ways = sorted(directions({name: one.role for name, one in cards.items()}))
    conditional = bool(card.options.get("conditional")) and card.role == "generator"
    return {
        "images": card.images,
        "size": [card.dimensions.height, card.dimensions.width],
        "channels": card.dimensions.channels,
        "conditional": conditional,
        "classes": [printable(name) for name in _classes(card)] if conditional else [],
        "recipe": card.origin.get("recipe"),
        "translates": ways or None,
        "styles": bool(ways) and card.role == "autoencoder",  # whether one image has several translations
        "generates": card.role == "generator",
    }


def _classes(card: Card) -> tuple[str, ...]:
    return card.classes or tuple(map(str, range(card.prior.classes)))


def length_of(path: Path) -> tuple[int | None, float | None]:
    """How many images a run is to be trained on, and in how many seconds; None where it is not said, or, of a run by
    time, not known before its first checkpoint."""
    with suppress(GansmithError):
        if is_run(path):
            experiment = experiment_of(path)
            settled = experiment.time is None or any((path / "checkpoints").glob("*.pt"))
            whole = experiment.images if settled and isinstance(experiment.images, int) else None
            return whole, experiment.time
    return None, None


def _directions(path: Path, digest: str | None) -> list[dict[str, Any]]:
    """The directions that belong to the model as it is now."""
    from gansmith.latent.directions.direction_file import load_directions

    file = directions_file(path)
    if not file.is_file():
        return []
    try:
        items = load_directions(file, digest=digest).items
    except GansmithError:
        return []
    return [
        {"number": number, "name": one.name, "method": one.method, "change": one.change, "purity": one.purity}
        for number, one in enumerate(items, 1)
    ]


def state_of(path: Path) -> str:
    """`training` while a process works on the run, `ended` when all its images are drawn, else `stopped`."""
    with suppress(OSError):
        if is_locked(path):
            return "training"
    if not is_run(path):
        return "ended"
    with suppress(GansmithError, OSError):
        experiment = experiment_of(path)
        newest = trained_on(path)
        if newest and experiment.images is not None and newest >= experiment.images:
            return "ended"
        if not any((path / "checkpoints").glob("*.pt")):
            return "ended"  # a model without a training to continue, such as those of the zoo
    return "stopped"


def newest_records(path: Path) -> list[dict[str, Any]]:
    """The last whole records of a training, those of metrics among them, numbers and words alone; empty without one."""
    rows: list[dict[str, Any]] = []
    with suppress(OSError), (path / "events.jsonl").open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _TAIL))
        for line in file.read().split(b"\n")[:-1]:
            with suppress(ValueError):
                record = json.loads(line)
                if isinstance(record, dict) and "step" in record and isinstance(record.get("images"), int):
                    rows.append({key: value for key, value in record.items() if isinstance(value, (int, float, str))})
    return rows
