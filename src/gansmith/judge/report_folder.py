"""The folder of a report: a run's own `audit/`, where it replaces the one before, or one that the user names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gansmith.errors import OptionError
from gansmith.runs.folder import image_folders, is_run, models_of
from gansmith.system.outputs import inside, require_output
from gansmith.system.paths import resolved


def report_folder(
    place: Path, out: str | Path | None, files: Sequence[str], *, force: bool = False, needs: str = ""
) -> tuple[Path, bool]:
    """`out`, or `audit/` of the run at `place`, checked before the work begins; and whether its files are replaced.

    needs: what else to say of a `place` that is no run.

    Raises OutputError for files of a named `out` that exist, unless `force`, or a folder that cannot be written;
    OptionError where `out` is None and `place` no run.
    """
    if out is None and not place.exists():
        models_of(place)  # raises, naming the runs beside it
    if out is None and not is_run(place):
        raise OptionError(f"{place} is not a run: say where the report is to lie, with --out DIR{needs}")
    own = place / "audit"
    folder = own if out is None else Path(out)
    replace = force or (is_run(place) and resolved(folder) == resolved(own))
    images = any(name.endswith(".png") for name in files)
    require_output(folder, inside(*files), force=replace, data=image_folders(place) if images else [])
    return folder, replace
