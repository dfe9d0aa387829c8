"""`gansmith help`: a command, or anything of the catalog, with its options, defaults and source."""

from __future__ import annotations

import difflib
from typing import Annotated, Any

import typer

from gansmith import catalog
from gansmith.errors import UnknownNameError


def help_(
    context: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]", help="a command, a kind, or a recipe, model, objective, penalty, metric ..."),
    ] = None,
) -> None:
    """Say all about a command or an entry of the catalog: options, what they take, defaults, source.

    gansmith help train, gansmith help data pack, gansmith help wgan_gp; KIND/NAME where several kinds have the name.
    """
    from gansmith.cli.entry_help import entries, entry_help
    from gansmith.cli.list_ import fitted, lines

    root: Any = context.find_root()
    path = _command(root.command, names or [])
    found = entries(names[0]) if names and len(names) == 1 else []
    texts = [entry_help(kind, name) for kind, name in found]
    if names and len(names) == 1 and names[0] in catalog.KINDS and not path:
        texts.append("\n".join(fitted(line) for line in lines(names[0])))
    if texts:
        typer.echo("\n\n\n".join(texts))
    if path or not names:
        root.command.main(args=[*path, "--help"], prog_name=root.info_name)
    if not texts:
        raise UnknownNameError(_unknown(" ".join(names or []), root.command))


def _command(group: Any, names: list[str]) -> list[str]:
    """The names as the path of a command; empty where they are none."""
    for name in names:
        group = getattr(group, "commands", {}).get(name)
        if group is None:
            return []
    return names


def _unknown(name: str, group: Any) -> str:
    """The message for a name that nothing answers to, with the nearest of all that there are."""
    known = dict.fromkeys(group.commands, "a command")
    for command, inner in group.commands.items():
        known |= dict.fromkeys(getattr(inner, "commands", {}), f"of {command}")
    known |= dict.fromkeys(catalog.KINDS, "a kind")
    for kind, (_, what) in catalog.KINDS.items():
        known |= {entry: what for entry in catalog.names(kind) if entry not in known}
    close = difflib.get_close_matches(name.lower().replace("-", "_"), known, n=1, cutoff=0.5)
    hint = f"Did you mean {close[0]!r} ({known[close[0]]})? " if close else ""
    return f"nothing is called {name!r}. {hint}Commands: gansmith --help; everything else: gansmith list"
