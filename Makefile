# Each command does its own set-up on a fresh machine, in .venv: `make demo`, `make test`, `make prove`.
PYTHON ?= python3
BIN = .venv/bin

.PHONY: demo test fast prove docs check bench clean

demo: .venv/installed-explore
	$(BIN)/gansmith train digits --recipe stylegan2_digits --out runs/demo
	@echo 'in a page of the browser:  $(BIN)/gansmith explore runs/demo'

# Lint and types beside the tests: mypy has one core, and longest where it has no cache yet.
test: .venv/installed-dev
	$(MAKE) --jobs=2 check fast

fast: .venv/installed-dev
	$(BIN)/pytest -n 2 --dist worksteal -m "not prove"

# The slow proofs: browser, notebooks, site, fresh environments, more random trials. They need Debian's chromium, chromium-driver and firefox-esr (or skip and say so).
prove: .venv/installed-docs
	$(BIN)/pytest -n 2 --dist loadfile -m prove

# The documentation site, into build/site: open build/site/index.html
docs: .venv/installed-docs
	$(BIN)/python -m docs.site

check: .venv/installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: .venv/installed-dev
	$(BIN)/python -m benchmarks

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	touch $@

.venv/installed-explore: .venv/installed
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[explore]'
	touch $@

.venv/installed-dev: .venv/installed
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

.venv/installed-docs: .venv/installed-dev
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev,docs]'
	touch $@

clean:
	rm -rf .venv build dist src/*.egg-info
