"""The catalog: names, factories, options, and every message."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from gansmith import catalog
from gansmith.errors import OptionError, UnknownNameError, nearest, unknown


def _vouched_for(name: str) -> Any:
    catalog.vouch([name])
    return catalog.find("objectives", name)


def test_entries_are_files() -> None:
    assert {"minimax", "nonsaturating"} <= set(catalog.names("objectives"))
    assert {"dcgan", "mlp"} <= set(catalog.names("models", "generator"))
    assert "saved" not in catalog.names("models")  # the loader of model files
    assert "layers" not in catalog.names("models")  # a package is no entry
    assert "parts" not in catalog.names("games")
    assert "dcgan" in catalog.names("recipes")
    for kind in catalog.KINDS:
        names = catalog.names(kind)
        assert names == sorted(names)
        for name in names:
            assert catalog.path_of(kind, name).is_file()


def test_a_new_file_is_a_new_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No list anywhere: also for files that begin with an underscore, which stay private."""
    folder = tmp_path / "my_objectives"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "spiral.py").write_text('"""A spiral.\n\nMore."""\n\ndef build(*, turns: int = 3):\n    return turns\n')
    (folder / "_private.py").write_text("")
    (folder / "broken.py").write_text('"""Cannot be imported."""\nraise RuntimeError\n')
    (folder / "package").mkdir()
    (folder / "package" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(catalog.KINDS, "objectives", ("my_objectives", "objective"))  # type: ignore[arg-type]
    assert catalog.names("objectives") == ["broken", "spiral"]
    assert catalog.names("objectives", "build") == ["spiral"]
    assert catalog.describe("objectives", "spiral") == "A spiral."
    assert catalog.describe("objectives", "broken") == "Cannot be imported."  # without importing it
    assert catalog.build("objectives", "spiral", turns="5") == 5
    assert catalog.build("objectives", "spiral") == 3


def test_descriptions() -> None:
    assert catalog.describe("objectives", "minimax").startswith("Minimax loss: both sides play for the same value")
    assert catalog.describe("recipes", "dcgan").startswith("DCGAN as its authors ran it: 64 px")
    assert catalog.describe("recipes", "dcgan-digits") == catalog.describe("recipes", "dcgan_digits")


@pytest.mark.parametrize(
    ("call", "kind", "facts"),
    [
        (
            lambda: catalog.find("objectives", "minmax"),
            UnknownNameError,
            ["objective", "'minmax'", "Did you mean 'minimax'?", "minimax", "nonsaturating"],
        ),
        (lambda: catalog.find("models", "zzz"), UnknownNameError, ["model", "'zzz'", "biggan", "dcgan"]),
        (lambda: catalog.path_of("recipes", "dcgam"), UnknownNameError, ["recipe", "'dcgam'", "'dcgan'?"]),
        (lambda: catalog.describe("datasets", "digit"), UnknownNameError, ["built-in dataset", "'digit'", "'digits'?"]),
        (lambda: catalog.names("objective"), UnknownNameError, ["kind", "'objective'", "'objectives'?"]),
        (lambda: catalog.find("models", "mlp", "classifier"), OptionError, ["models/mlp", "classifier", "darknet"]),
        (lambda: catalog.find("models", "mlp", "paint"), OptionError, ["models/mlp", "paint", "none"]),
        (
            lambda: catalog.find("objectives", "my_lab.spiral"),
            UnknownNameError,
            ["objective 'my_lab.spiral'", "outside gansmith", "command line", "--trust"],
        ),
        (
            lambda: (catalog.vouch(["my_lab.spiral"]), catalog.find("objectives", "my_lab.spiral")),
            UnknownNameError,
            ["objective 'my_lab.spiral'", "No module named 'my_lab'"],
        ),
        *(
            (
                partial(_vouched_for, name),
                UnknownNameError,
                ["no objective called", repr(name), "hinge", "my_lab.spiral"],
            )
            for name in (".", "..", "../hing", "a..b", "1.5", ".hinge", "hinge.", "my lab.x", "/tmp/hinge.py")
        ),
        (
            lambda: catalog.build("objectives", "minimax", wieght=1),
            OptionError,
            ["objectives/minimax", "'wieght'", "smoothing"],
        ),
        (
            lambda: catalog.build("datasets", "digits", wieght=1),
            OptionError,
            ["datasets/digits", "'wieght'", "no options"],
        ),
    ],
)
def test_messages_hold_the_facts(call: Any, kind: type[Exception], facts: list[str]) -> None:
    with pytest.raises(kind) as raised:
        call()
    assert [fact for fact in facts if fact not in str(raised.value)] == []


def test_a_missing_factory_names_the_files_that_have_it() -> None:
    with pytest.raises(OptionError, match=r"^objectives/minimax has no ROLES; objectives with one: none$"):
        catalog.find("objectives", "minimax", "ROLES")
    with pytest.raises(OptionError, match=r"^models/dcgan has no build; models with one: none$"):
        catalog.find("models", "dcgan")


# ---- code from outside


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user's own file, in the working folder; it leaves a sign when it is imported."""
    (tmp_path / "own_lab").mkdir()
    (tmp_path / "own_lab" / "spiral.py").write_text(
        "from pathlib import Path\nPath(__file__).with_name('executed').touch()\n"
        "def build(given, *, turns: int = 2):\n    return given, turns\n"
    )
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    monkeypatch.setattr(sys, "path", before)
    yield tmp_path / "own_lab"
    for name in [name for name in sys.modules if name.startswith("own_lab")]:
        del sys.modules[name]


@pytest.mark.parametrize("code", ["1 / 0", "def", "raise SystemError('no')", "import own_lab.absent"])
def test_code_from_outside_that_fails_is_named(lab: Path, code: str) -> None:
    (lab / "spiral.py").write_text(code + "\n")
    with pytest.raises(UnknownNameError, match=r"own_lab\.spiral.*could not import it"):
        _vouched_for("own_lab.spiral")


def test_code_from_outside_is_refused_until_somebody_vouches_for_it(lab: Path) -> None:
    for other in ([], ["own_lab"], ["own_lab.spirals", "own_lab.spiral.x", "spiral"]):
        catalog.vouch(other)
        with pytest.raises(UnknownNameError, match=r"own_lab\.spiral.*--trust"):
            catalog.build("objectives", "own_lab.spiral", 1)
        assert not (lab / "executed").exists()
    catalog.vouch(["own_lab.spiral"])
    assert catalog.build("objectives", "own_lab.spiral", 1, turns=4) == (1, 4)
    assert (lab / "executed").exists()


def test_what_was_imported_is_refused_again_when_it_is_forgotten(lab: Path) -> None:
    catalog.vouch(["own_lab.spiral"])
    catalog.find("objectives", "own_lab.spiral")
    catalog.forget_vouched()
    for ask in (catalog.find, catalog.build):
        with pytest.raises(UnknownNameError, match="--trust"):
            ask("objectives", "own_lab.spiral")


# ---- options


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    size: int


class Strange:
    """Not known to pydantic."""


def factory(
    given: int,
    *,
    width: Annotated[int, Field(gt=0)] = 64,
    mode: Literal["a", "b"] = "a",
    inner: Inner | None = None,
    strange: Strange | None = None,
    needed: float,
) -> dict[str, Any]:
    return {"given": given, "width": width, "mode": mode, "inner": inner, "needed": needed}


def test_options_are_keyword_only_parameters_completed_and_converted() -> None:
    assert list(catalog.keyword_options(factory)) == ["width", "mode", "inner", "strange", "needed"]
    done = catalog.complete("models/x", factory, {"needed": "2.5", "width": 7, "inner": {"size": "3"}})
    assert done == {"width": 7, "mode": "a", "inner": Inner(size=3), "strange": None, "needed": 2.5}
    odd = Strange()
    assert catalog.complete("models/x", factory, {"needed": 1, "strange": odd})["strange"] is odd


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "models/x needs the option 'needed'"),
        (
            {"needed": 1, "widht": 3},
            "models/x has no option 'widht'. Did you mean 'width'? It has: width, mode, inner, strange, needed",
        ),
        ({"needed": 1, "given": 3}, "models/x has no option 'given'. "),
        ({"needed": 1, "width": 0}, "models/x: width = 0 is not allowed"),
        ({"needed": 1, "width": 1.5}, "models/x: width = 1.5 is not allowed: it takes a whole number"),
        ({"needed": 1, "mode": "c"}, "models/x: mode = 'c' is not allowed: it takes a or b"),
        ({"needed": "much"}, "models/x: needed = 'much' is not allowed: it takes a number"),
        ({"needed": 1, "inner": {"sise": 1}}, "models/x: inner = {'sise': 1} is not allowed: "),
        ({"needed": 1, "strange": 5}, "models/x: strange = 5 is not allowed: "),
    ],
)
def test_options_that_are_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(OptionError) as raised:
        catalog.complete("models/x", factory, options)
    assert str(raised.value).startswith(text)


# ---- the words of the errors


def test_nearest_and_unknown() -> None:
    assert nearest("WGAN_PG", ["wgan_gp", "lsgan"]) == "Did you mean 'wgan_gp'? "
    assert nearest("x", ["wgan_gp", "lsgan"]) == ""
    assert unknown("objective", "wgan_pg", ["wgan_gp", "lsgan"]) == (
        "no objective called 'wgan_pg'. Did you mean 'wgan_gp'? Known: lsgan, wgan_gp"
    )
    assert unknown("thing", "a", []) == "no thing called 'a'. Known: none"


def test_every_error_is_drawn_in_the_tree() -> None:
    from gansmith import errors

    tree = errors.__doc__ or ""
    lines = {line.strip("|- ").partition(" ")[0]: line for line in tree.splitlines()}
    classes = [
        value for value in vars(errors).values() if isinstance(value, type) and value.__module__ == errors.__name__
    ]
    for error in classes:
        assert issubclass(error, errors.GansmithError)
        depth = error.__mro__.index(errors.GansmithError)
        assert lines[error.__name__].count("|") == depth
    assert errors.TrainingInterrupted("stopped", signal=2).exit_code == 130
    assert errors.TrainingInterrupted("stopped", signal=15).exit_code == 143
    assert errors.GansmithError("x").exit_code == 1


def test_the_choices_of_an_option() -> None:
    def of(name: str, option: str) -> tuple[str, ...]:
        return catalog.choices("models", name, option, factory="discriminator")

    assert of("dcgan", "normalisation") == ("batch", "instance", "layer", "none")
    assert of("pix2pix", "normalisation") == ("instance", "batch")
    assert of("dcgan", "slope") == ()  # a number
    assert of("dcgan", "nothing") == ()


def test_a_name_of_another_kind_is_said() -> None:
    """`--objective r1` names a penalty: the error says so."""
    with pytest.raises(UnknownNameError) as raised:
        catalog.path_of("objectives", "r1")
    assert "penalty" in str(raised.value)
    assert "gansmith help r1" in str(raised.value)
    with pytest.raises(UnknownNameError) as raised:
        catalog.path_of("objectives", "hnge")
    assert "gansmith help" not in str(raised.value)


def test_a_dotted_name_says_what_its_module_must_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    catalog.vouch(["bounds_lab.absent", "bounds_lab.empty"])
    for kind, holds in (("objectives", "build"), ("models", "generator")):
        with pytest.raises(UnknownNameError) as raised:
            catalog.find(kind, "bounds_lab.absent", "generator" if kind == "models" else "build")
        for fact in ("bounds_lab/absent.py", holds):
            assert fact in str(raised.value)
    (tmp_path / "bounds_lab").mkdir()
    (tmp_path / "bounds_lab" / "empty.py").write_text("")
    with pytest.raises(OptionError, match=r"bounds_lab\.empty.*build"):
        catalog.find("objectives", "bounds_lab.empty")
