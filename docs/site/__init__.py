"""The documentation site: the pages of README and docs/, an API reference and a gallery, built by Sphinx.

    python -m docs.site            # what `make docs` runs: into build/site; a warning is an error

Pages stay plain Markdown that reads well without the site: `stage` copies them, with what only the site has added.
"""
