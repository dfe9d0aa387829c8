"""Name -> file -> built object. The only place where a string becomes an object.

A kind (`objectives`) is a package; each public file in it is one entry, named like the file (`wgan_gp.py` is
`wgan_gp`). The entry's factory is a function called `build`, or, for models, called after the role it fills
(`generator`, `discriminator`, `classifier`). Adding a file adds an entry: there is no list to edit.

A factory's positional parameters are the program's; its keyword-only parameters are the options a user
can set, and their annotations and defaults are the whole truth about them.
"""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.util
import inspect
import pkgutil
import typing
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from gansmith.errors import OptionError, UnknownNameError, nearest, unknown

KINDS: Mapping[str, tuple[str, str]] = {  # kind -> (package, what one entry is called in a message)
    "models": ("gansmith.models", "model"),
    "objectives": ("gansmith.objectives", "objective"),
    "penalties": ("gansmith.penalties", "penalty"),
    "augment": ("gansmith.augment", "augmentation"),
    "games": ("gansmith.games", "game"),
    "formats": ("gansmith.data.formats", "format"),
    "datasets": ("gansmith.data.builtin", "built-in dataset"),
    "operators": ("gansmith.data.operators", "dataset operator"),
    "features": ("gansmith.evaluation.features", "feature extractor"),
    "metrics": ("gansmith.evaluation.metrics", "metric"),
    "minimizers": ("gansmith.minimize.methods", "minimizer"),
    "recipes": ("gansmith.recipes", "recipe"),
}

# the roles of networks: a model's file has a factory of that name for each role that it can fill
ROLES = ("generator", "discriminator", "classifier", "translator", "autoencoder")

Factory = Callable[..., Any]

_vouched: set[str] = set()  # dotted names that may be imported, in this process


def vouch(names: Iterable[str]) -> None:
    """Allow the import of the dotted ones of `names` for as long as this process lives.

    Whoever lets names in calls it: for a name given by hand (on the command line, in Python), and with `trust` for the
    names in the file that is opened, and no others.
    """
    _vouched.update(name for name in names if "." in name)


def forget_vouched() -> None:
    """Refuse all dotted names again."""
    _vouched.clear()


def names(kind: str, factory: str | None = None) -> list[str]:
    """The entries of `kind`, sorted; with `factory`, only those whose file defines it. Imports none of them."""
    entries = sorted(_files(kind))
    if factory is not None:
        entries = [name for name in entries if factory in _definitions(kind, name)]
    return entries


def describe(kind: str, name: str) -> str:
    """The first line of an entry's docstring (a recipe's `description`), read without importing the file."""
    path = _files(kind)[_known(kind, name)]
    if path.suffix == ".yaml":
        return next((line[2:].strip() for line in path.read_text().splitlines() if line.startswith("# ")), "")
    return (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0]


def path_of(kind: str, name: str) -> Path:
    """The file of an entry. Raises UnknownNameError naming the nearest."""
    return _files(kind)[_known(kind, name)]


def find(kind: str, name: str, factory: str = "build") -> Factory:
    """The factory of an entry.

    `name` may be dotted (`my_lab.spiral`), which imports code from outside this package: only after `vouch`.
    Raises UnknownNameError for a name that nothing answers to, OptionError for an entry without that factory.
    """
    module = _module(kind, name)
    function = getattr(module, factory, None)
    if function is None and "." in name:
        raise OptionError(f"{kind}/{name} holds no function {factory}: the module must define {factory}(...)")
    if function is None:
        able = ", ".join(names(kind, factory)) or "none"
        raise OptionError(f"{kind}/{name} has no {factory}; {kind} with one: {able}")
    return typing.cast(Factory, function)


def stated(kind: str, name: str, constant: str, default: Any) -> Any:
    """What an entry's file says of itself under the name `constant`, or `default` where it is silent."""
    module = _module(kind, name)
    return getattr(module, constant, default)


def literal(kind: str, name: str, constant: str, default: Any = None) -> Any:
    """What an entry's file assigns to `constant` in plain literals, or `default`; read without importing the file."""
    path = path_of(kind, name)
    if path.suffix == ".yaml":
        return default
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and any(getattr(target, "id", None) == constant for target in node.targets):
            return ast.literal_eval(node.value)
    return default


def build(kind: str, name: str, *arguments: Any, factory: str = "build", **options: Any) -> Any:
    """Find an entry and call its factory with the program's arguments and the user's options, validated."""
    function = find(kind, name, factory)
    return function(*arguments, **complete(f"{kind}/{name}", function, options))


def complete(where: str, function: Factory, options: Mapping[str, Any]) -> dict[str, Any]:
    """`options` validated against the keyword-only parameters of `function`, with the defaults filled in.

    Raises OptionError for an option that does not exist, is missing, or has a value that its annotation refuses.
    """
    from pydantic import ValidationError

    from gansmith.system.option_words import allowed, booleans_as_numbers, explain, shown

    known = keyword_options(function)
    for option in options:
        if option not in known:
            have = ", ".join(known) or "no options"
            raise OptionError(f"{where} has no option {option!r}. {nearest(option, known)}It has: {have}")
    values: dict[str, Any] = {}
    for option, parameter in known.items():
        if option not in options:
            if parameter.default is inspect.Parameter.empty:
                raise OptionError(f"{where} needs the option {option!r}")
            values[option] = parameter.default
            continue
        annotation = _hints(function).get(option, Any)
        try:
            values[option] = _adapter(function, option).validate_python(options[option])
        except ValidationError as error:
            problem = explain(error.errors()[0], annotation)
            raise OptionError(f"{where}: {option} = {shown(options[option])} is not allowed: {problem}") from None
        if list(booleans_as_numbers(options[option], values[option])):
            takes = allowed(annotation) or "numbers"
            raise OptionError(f"{where}: {option} = {shown(options[option])} is not allowed: it takes {takes}")
    return values


@functools.cache
def _hints(function: Factory) -> dict[str, Any]:
    return typing.get_type_hints(function, include_extras=True)


@functools.cache
def _adapter(function: Factory, option: str) -> Any:
    """What reads a value of an option, made once: it takes as long as a small network."""
    from pydantic import ConfigDict, TypeAdapter

    annotation = _hints(function).get(option, Any)
    try:
        return TypeAdapter(annotation, config=ConfigDict(arbitrary_types_allowed=True))
    except Exception:  # an annotation that sets its own configuration (a pydantic model) takes no other
        return TypeAdapter(annotation)


def keyword_options(function: Factory) -> dict[str, inspect.Parameter]:
    """The options of a factory: its keyword-only parameters."""
    parameters = inspect.signature(function).parameters.values()
    return {p.name: p for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}


def choices(kind: str, name: str, option: str, factory: str = "build") -> tuple[str, ...]:
    """The values that an option can take where these are listed (a Literal); else, or without such an option, none."""
    hint = typing.get_type_hints(find(kind, name, factory)).get(option)
    return typing.get_args(hint) if typing.get_origin(hint) is typing.Literal else ()


def _files(kind: str) -> dict[str, Path]:
    if kind not in KINDS:
        raise UnknownNameError(unknown("kind", kind, KINDS))
    spec = importlib.util.find_spec(KINDS[kind][0])
    folders = list(spec.submodule_search_locations or []) if spec else []
    return _listed(kind, tuple((folder, Path(folder).stat().st_mtime_ns) for folder in folders))


@functools.cache
def _listed(kind: str, folders: tuple[tuple[str, int], ...]) -> dict[str, Path]:
    """The entries in these folders, as they were at those times."""
    if kind == "recipes":
        return {path.stem: path for folder, _ in folders for path in Path(folder).glob("*.yaml")}
    return {
        module.name: Path(folder) / f"{module.name}.py"
        for folder, _ in folders
        for module in pkgutil.iter_modules([folder])
        if not module.ispkg and not module.name.startswith("_") and module.name != "saved"
    }


def _module(kind: str, name: str) -> Any:
    if "." not in name:
        return importlib.import_module(f"{KINDS[kind][0]}.{_known(kind, name)}")
    what = KINDS[kind][1]
    if not all(part.isidentifier() for part in name.split(".")):
        raise UnknownNameError(
            f"{unknown(what, name, _files(kind))}. A name with dots is a Python module: my_lab.spiral"
        )
    if name not in _vouched:
        raise UnknownNameError(
            f"{what} {name!r} is code from outside gansmith, and importing is executing. "
            f"Give it on the command line or in Python, or add --trust if you trust the file that names it"
        )
    return _import_outside(what, name)


def _known(kind: str, name: str) -> str:
    files = _files(kind)
    plain = name.replace("-", "_")
    if plain in files:
        return plain
    others = [what for other, (_, what) in KINDS.items() if other != kind and plain in _files(other)]
    elsewhere = f". There is a {' and a '.join(others)} of that name: gansmith help {plain}" if others else ""
    raise UnknownNameError(unknown(KINDS[kind][1], name, files) + elsewhere)


def _definitions(kind: str, name: str) -> frozenset[str]:
    path = _files(kind)[name]
    return _functions(path, path.stat().st_mtime_ns)


@functools.cache
def _functions(path: Path, stamp: int) -> frozenset[str]:
    """The functions at the top of a file, as it was at that time."""
    return frozenset(node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef))


def _import_outside(what: str, name: str) -> Any:
    import sys

    here = str(Path.cwd())
    if here not in sys.path:  # the console script does not look in the working folder; a user's own file lies there
        sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    except ImportError as error:
        file = f"{name.replace('.', '/')}.py"
        holds = "a function named like the role (generator ...)" if what == "model" else "a function build"
        raise UnknownNameError(
            f"{what} {name!r}: could not import it: {error}. It is a Python module, {file} in this folder "
            f"or an installed one, that holds {holds}"
        ) from error
    except Exception as error:  # of the code there
        problem = f"{type(error).__name__}: {error}"
        raise UnknownNameError(f"{what} {name!r}: could not import it, its code fails: {problem}") from error
