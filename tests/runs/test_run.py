"""The Python door: a run is trained, opened, sampled, continued and read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

import gansmith
from gansmith import catalog
from gansmith.adversarial import Dimensions
from gansmith.data.prior import Prior
from gansmith.data.settings import DataSettings
from gansmith.errors import CheckpointError, ExperimentError, OptionError, RunError, UnknownNameError
from gansmith.experiment.schema import Experiment
from gansmith.latent.translate import load_translator
from gansmith.models import saved
from gansmith.models.saved import Card
from gansmith.runs.run import Run
from gansmith.runs.train import DATA_FIELDS, experiment_from
from gansmith.system.seeding import seeded
from small import SMALL, files


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """320 images, every checkpoint kept. To be read, not changed."""
    return gansmith.train(**SMALL, keep_every=128, out=str(tmp_path_factory.mktemp("runs") / "run"))


def assert_equal_weights(left: Run, right: Run) -> None:
    for part in ("players", "averaging"):
        for player, state in left.checkpoint()[part].items():
            for name, value in state.items():
                assert torch.equal(value, right.checkpoint()[part][player][name]), f"{part}.{player}.{name}"


def test_from_images_to_a_grid_in_one_line(tmp_path: Path) -> None:
    grid = tmp_path / "grid.png"
    gansmith.train(**{**SMALL, "images": 16}, out=str(tmp_path / "run")).sample(seeds=range(64)).save(grid)
    with Image.open(grid) as image:
        assert image.width >= 8 * 8
        assert image.height >= 8 * 8


def test_records(run: Run) -> None:
    records = run.records
    assert [record["images"] for record in records] == [64, 128, 192, 256, 320]
    assert [record["step"] for record in records] == [4, 8, 12, 16, 20]
    for record in records:
        assert set(record) == {
            *("step", "images", "seconds", "images_per_second", "waiting"),
            *("discriminator/loss", "discriminator/score_real", "discriminator/score_fake"),
            *("discriminator/accuracy", "discriminator/held_real", "told_apart", "generator/loss", "spread", "health"),
            *("generator/learning_rate", "discriminator/learning_rate"),
        }
        assert 0 <= record["discriminator/accuracy"] <= 1
        assert record["images_per_second"] > 0
        assert 0 <= record["waiting"] <= 1
    seconds = [record["seconds"] for record in records]
    assert seconds == sorted(seconds)
    rate = 256 / (seconds[-1] - seconds[0])
    assert (
        min(r["images_per_second"] for r in records) * 0.9 < rate < max(r["images_per_second"] for r in records) * 1.1
    )
    assert [json.loads(line) for line in (run.path / "events.jsonl").read_text().splitlines()] == records


def test_sheets_and_their_film(tmp_path: Path) -> None:
    """At a rate that changes the pictures visibly: WebP joins frames that look alike."""
    fast = {role: {"name": "adam", "lr": 0.1} for role in ("generator", "discriminator")}
    run = gansmith.train(**{**SMALL, "optimizer": fast, "sheet": 64}, out=str(tmp_path / "run"))
    sheets = sorted((run.path / "samples").iterdir())
    assert [sheet.name for sheet in sheets] == ["000000000.png", "000000160.png", "000000320.png"]
    assert len({sheet.read_bytes() for sheet in sheets}) == 3
    with Image.open(run.path / "progress.webp") as film:
        assert film.n_frames == 3
    (run.path / "samples" / "².png").write_bytes(sheets[0].read_bytes())  # a sheet's name is a number in ASCII digits
    assert run.resume(images=352).checkpoint()["images"] == 352


def test_checkpoints_by_name(run: Run) -> None:
    assert run.checkpoints.names() == ["000000128", "000000256", "latest", "previous"]
    assert [run.checkpoint(name)["images"] for name in ("000000128", "previous", "latest", "000000256.pt")] == [
        *(128, 256, 320, 256),
    ]
    with pytest.raises(CheckpointError, match=r"'000000129'.*'000000128'"):
        run.checkpoint("000000129")


def test_networks_averaged_raw_and_of_a_checkpoint(run: Run) -> None:
    averaged, card = run.network()
    assert (card.player, card.images, card.averaged) == ("generator", 320, True)
    assert not averaged.training
    expected: dict[str, Any] = {
        "averaging": averaged,
        "players": run.network(raw=True)[0],
        "discriminator": run.network("discriminator")[0],
    }
    state = run.checkpoint()
    for part, network in expected.items():
        wanted = state["players"]["discriminator"] if part == "discriminator" else state[part]["generator"]
        torch.testing.assert_close(network.state_dict(), wanted, rtol=0, atol=0)
    old = run.network(checkpoint="000000128")[0].state_dict()
    torch.testing.assert_close(old, run.checkpoint("000000128")["averaging"]["generator"], rtol=0, atol=0)
    weight = next(name for name in old if name.endswith("weight"))
    states = [old, averaged.state_dict(), expected["players"].state_dict()]
    assert all(not torch.equal(a[weight], b[weight]) for a, b in zip(states, [*states[1:], states[0]], strict=True))
    with pytest.raises(RunError, match="no player called 'generatr'"):
        run.network("generatr")
    assert run.players == ["discriminator", "generator"]


def test_opening_what_is_no_run(run: Run, tmp_path: Path) -> None:
    with pytest.raises(RunError) as raised:
        Run(run.path.parent / "rnu")
    assert str(raised.value) == f"there is no run {run.path.parent}/rnu. Runs beside it: {run.path}"
    (tmp_path / "a.txt").write_text("x")
    for path in (tmp_path, tmp_path / "a.txt"):
        with pytest.raises(RunError, match=r"experiment\.yaml"):
            Run(path)
    models = Run(run.path / "model")
    assert len(models.sample(range(2))) == 2
    with pytest.raises(CheckpointError, match="--raw and --checkpoint"):
        models.network(raw=True)
    with pytest.raises(RunError, match="--from"):
        models.resume()


def test_resume(run: Run, tmp_path: Path) -> None:
    copied = Run(shutil.copytree(run.path, tmp_path / "run"))
    assert copied.resume(images="400", record_every=16).checkpoint()["images"] == 400
    before = files(copied.path)
    for change, said in (({"batch": 8}, "batch: 16 -> 8"), ({"generator": {"width": 8}}, "generator.width: 4 -> 8")):
        with pytest.raises(RunError) as raised:
            copied.resume(**change)
        assert str(raised.value) == f"a resumed run cannot change {said}. Start another run with another --out"
    with pytest.raises(ExperimentError, match="there is no field 'imagse'"):
        copied.resume(imagse=3)
    assert files(copied.path) == before


def test_the_experiment_file_runs_the_run_again(run: Run, tmp_path: Path) -> None:
    again = gansmith.train(config=run.path / "experiment.yaml", out=str(tmp_path / "again"))
    assert_equal_weights(run, again)
    left, right = (yaml.safe_load((r.path / "experiment.yaml").read_text()) for r in (run, again))
    assert left.pop("out") != right.pop("out")
    assert left == right
    assert (run.path / "model/generator.safetensors").read_bytes() == (
        again.path / "model/generator.safetensors"
    ).read_bytes()


def test_another_seed_is_another_run(run: Run, tmp_path: Path) -> None:
    other = gansmith.train(**SMALL, seed=1, out=str(tmp_path / "other"))
    with pytest.raises(AssertionError):
        assert_equal_weights(run, other)


def test_bfloat16(run: Run, tmp_path: Path) -> None:
    made = gansmith.train(**SMALL, precision="bfloat16", out=str(tmp_path / "run"))
    state = made.checkpoint()["players"]["generator"]
    assert {value.dtype for value in state.values() if value.is_floating_point()} == {torch.float32}
    with pytest.raises(AssertionError):
        assert_equal_weights(run, made)
    last, theirs = made.records[0], run.records[0]
    assert last["discriminator/loss"] == pytest.approx(theirs["discriminator/loss"], rel=0.05)


def test_accumulation(run: Run, tmp_path: Path) -> None:
    made = gansmith.train(**SMALL, accumulate=2, out=str(tmp_path / "run"))
    assert [record["step"] for record in made.records] == [record["step"] for record in run.records]
    assert made.records[0]["discriminator/loss"] == pytest.approx(run.records[0]["discriminator/loss"], rel=0.2)


def test_code_from_outside(tmp_path: Path) -> None:
    """By hand in Python; not from a file, unless it is trusted; a run that has it needs trust in a later process."""
    out = str(tmp_path / "run")
    toy = {**SMALL, "images": 16, "out": out}
    made = gansmith.train(**toy, game="toys.spoiled")
    catalog.forget_vouched()
    with pytest.raises(UnknownNameError, match=r"toys\.spoiled.*--trust"):
        Run(made.path).resume(images=32)
    assert Run(made.path, trust=True).resume(images=32).checkpoint()["images"] == 32
    catalog.forget_vouched()
    (tmp_path / "own.yaml").write_text("game: toys.spoiled\n")
    with pytest.raises(UnknownNameError, match="add --trust"):
        gansmith.train(**{**toy, "out": f"{out}2"}, config=tmp_path / "own.yaml")
    assert not Path(f"{out}2").exists()
    gansmith.train(**{**toy, "out": f"{out}2"}, config=tmp_path / "own.yaml", trust=True)


def test_models_from_outside_are_sampled_with_trust(tmp_path: Path) -> None:
    made = gansmith.train(
        **{**SMALL, "images": 16, "generator": "toys.tiny"}, out=str(tmp_path / "run"), threads=torch.get_num_threads()
    )
    catalog.forget_vouched()
    with pytest.raises(UnknownNameError, match=r"toys\.tiny.*--trust"):
        Run(made.path).sample(range(2))
    assert len(Run(made.path, trust=True).sample(range(2))) == 2


_AS_STORED = {"path": "photos", "background": (1, 2, 3), "classes": ("cat", "dog")}


def test_fields_of_the_data_may_stand_alone() -> None:
    values = {"size": 16, "channels": 1, "fit": "pad", "fraction": 0.5, "holdout": 0.2, "holdout_by": "class"}
    values |= {"flip": True, "skip_unreadable": True, "cache": False, "format": "folder"}
    values |= {"other": "paintings", "load_size": 20, "classes": ["cat", "dog"], "disjoint": True}
    assert {*values, "background"} == set(DATA_FIELDS)
    experiment, _ = experiment_from("photos", environment={}, background=[1, 2, 3], **values)
    given = experiment.data.model_dump()
    assert given == {**given, **values, "size": "16x16", "load_size": "20x20", **_AS_STORED}


def test_a_field_that_does_not_exist() -> None:
    with pytest.raises(ExperimentError, match=r"'bacth' \(arguments\).*'batch'"):
        gansmith.train("digits", bacth=3)


def test_a_recipe_from_the_environment_or_a_file(tmp_path: Path) -> None:
    """It brings its settings, below those of the file and the environment, and not its name alone."""
    experiment, sources = experiment_from(environment={"GANSMITH_RECIPE": "dcgan_digits", "GANSMITH_BATCH": "8"})
    assert (experiment.recipe, experiment.generator.options["width"], experiment.batch) == ("dcgan_digits", 32, 8)
    assert sources["generator.width"] == "recipe dcgan_digits"
    (tmp_path / "mine.yaml").write_text("recipe: dcgan_digits\nbatch: 4\n")
    experiment, _ = experiment_from(config=tmp_path / "mine.yaml", environment={})
    assert (experiment.generator.options["width"], experiment.batch) == (32, 4)
    (tmp_path / "own.yaml").write_text("recipe: a_recipe_of_my_own\n")
    assert experiment_from(config=tmp_path / "own.yaml", environment={})[0].recipe == "a_recipe_of_my_own"


def test_a_discriminator_makes_no_images(run: Run) -> None:
    with pytest.raises(RunError, match="holds a discriminator, which makes no images"):
        Run(run.path / "model" / "discriminator.safetensors").renderer()


# ---- translations


def translating(place: Path, players: str, role: str, model: str, **options: Any) -> Run:
    """A run on a green background, of networks that were never trained."""
    dimensions, files = Dimensions(3, 16, 16, 4), {}
    for player in players.split():
        card = Card(player, role, model, {"width": 2, "blocks": 1, **options}, dimensions, Prior(size=4))
        with seeded("test", player):
            files[player] = (card, card.build().state_dict())
    place.mkdir()
    (place / "experiment.yaml").write_text(Experiment(data=DataSettings(background=(0, 255, 0))).to_yaml())
    saved.save(place / "model", files)
    return Run(place)


def test_translate(tmp_path: Path) -> None:
    """In the direction and of the image that are given, on the run's background; models alone know no background."""
    run = translating(tmp_path / "run", "to_a to_b", "translator", "cyclegan")
    image = np.random.default_rng(0).integers(0, 256, (18, 21, 4), dtype=np.uint8)
    made = {to: run.translate(image, to=to, device="cpu") for to in "ab"}
    for to, one in made.items():
        np.testing.assert_array_equal(one, load_translator(run.model, to).translate(image, background=(0, 255, 0)))
        np.testing.assert_array_equal(run.translator(to=to).translate(image, background=(0, 255, 0)), one)
    assert made["b"].shape == (18, 21, 3)
    assert (made["a"] != made["b"]).any()
    alone = Run(run.model).translate(image, to="b")
    np.testing.assert_array_equal(alone, load_translator(run.model, "b").translate(image))
    assert (alone != made["b"]).any()
    tensor = torch.rand(1, 3, 16, 20) * 2 - 1
    torch.testing.assert_close(
        run.translate(tensor, to="a"), load_translator(run.model, "a").translate(tensor), rtol=0, atol=0
    )
    np.testing.assert_array_equal(
        Run(run.model / "to_a.safetensors").translate(image[..., :3]), run.translate(image[..., :3], to="a")
    )


def test_translate_in_a_style(tmp_path: Path) -> None:
    run = translating(tmp_path / "run", "a b", "autoencoder", "munit", style_downsamplings=2, mlp_width=4)
    image = torch.rand(1, 3, 16, 16) * 2 - 1
    made = [run.translate(image, to="b", seed=seed) for seed in range(2)]
    for seed, one in enumerate(made):
        torch.testing.assert_close(one, load_translator(run.model, "b").translate(image, seed=seed), rtol=0, atol=0)
    assert not torch.equal(*made)
    torch.testing.assert_close(run.translate(image, to="b"), made[0], rtol=0, atol=0)


def test_translate_asks_for_a_direction_and_for_what_translates(run: Run, tmp_path: Path) -> None:
    image = np.zeros((16, 16, 3), np.uint8)
    both = translating(tmp_path / "run", "to_a to_b", "translator", "cyclegan")
    with pytest.raises(OptionError) as raised:
        both.translate(image)
    assert str(raised.value) == f"{both.path} translates to a and to b: say which with --to a or --to b"
    with pytest.raises(ExperimentError, match="there is no device called 'gpu'"):
        both.translate(image, to="a", device="gpu")
    with pytest.raises(RunError, match=rf"{run.path}.*discriminator, generator"):
        run.translate(image, to="b")


def test_the_weights_that_translate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that `network` gives for the same words."""
    both = translating(tmp_path / "run", "to_a to_b", "translator", "cyclegan")
    asked: list[Any] = []
    plain = Run.network

    def network(self: Run, player: str, **options: Any) -> Any:
        asked.append((player, options))
        return plain(self, player)

    monkeypatch.setattr(Run, "network", network)
    both.translate(np.zeros((16, 16, 3), np.uint8), to="a", raw=True, checkpoint="best")
    both.translator(to="b")
    assert asked == [("to_a", {"raw": True, "checkpoint": "best"}), ("to_b", {"raw": False, "checkpoint": None})]
