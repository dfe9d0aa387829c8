"""Licences as the hubs write them: their identifiers, and `other` with a name for the rest."""

from __future__ import annotations

import re

from gansmith.errors import OptionError

KNOWN = frozenset(
    {
        "apache-2.0", "mit", "openrail", "bigscience-openrail-m", "creativeml-openrail-m", "bsd-2-clause",
        "bsd-3-clause", "cc0-1.0", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0",
        "cc-by-sa-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-3.0",
        "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "gpl-2.0", "gpl-3.0",
        "agpl-3.0", "lgpl-2.1", "lgpl-3.0", "mpl-2.0", "odbl", "pddl", "unlicense", "wtfpl", "zlib",
        "unknown",
    }
)  # fmt: skip
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]{1,63}")


def fields_of(licence: str | None) -> dict[str, str]:
    """The fields of a hub's page for a licence by its name. Raises OptionError for none, and for what is no name.

    >>> fields_of("CC-BY-4.0"), fields_of("all-rights-reserved")
    ({'license': 'cc-by-4.0'}, {'license': 'other', 'license_name': 'all-rights-reserved'})
    """
    if licence is None:
        raise OptionError(
            "who may use the exported generator? Say it with --licence NAME, such as cc-by-4.0, mit or "
            "all-rights-reserved. What the training images allow decides what you may give"
        )
    if not _NAME.fullmatch(licence):
        raise OptionError(
            f"a licence is a name of letters, digits, dots and dashes, such as cc-by-4.0, not {licence!r}"
        )
    name = licence.lower()
    return {"license": name} if name in KNOWN else {"license": "other", "license_name": name}
