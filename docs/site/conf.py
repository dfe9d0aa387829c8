"""Sphinx's configuration of the site. Its pages are those that docs/site/stage.py lays out."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from docs.site.docstrings import as_restructured_text

project = "gansmith"
author = copyright = "the authors of gansmith"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.viewcode"]
source_suffix = {".md": "myst-nb", ".rst": "restructuredtext"}
root_doc = "index"
highlight_language = "text"

html_theme = "furo"
html_title = "gansmith"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False

myst_heading_anchors = 6
myst_enable_extensions = ["colon_fence"]  # the gallery's cards
myst_links_external_new_tab = False

nb_execution_mode = "cache"  # a notebook is executed again when its code changed
nb_execution_cache_path = os.environ.get("SITE_NOTEBOOKS", "")
nb_execution_timeout = 300  # seconds for a cell
nb_execution_raise_on_error = True
nb_execution_in_temp = True
nb_merge_streams = True
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # would be loaded from outside

autodoc_member_order = "bysource"
autodoc_type_aliases = {name: name for name in ("ArrayLike", "NDArray", "Features", "Images", "Labels", "Seed")}
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 90


def setup(app: object) -> None:
    app.connect("autodoc-process-docstring", as_restructured_text)  # type: ignore[attr-defined]
