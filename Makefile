# make demo   one sentence becomes demo/walk.glb, .bvh, .mp4 and .html (sets everything up first)
# make test   the tests            make lint    ruff, ruff format and mypy
# make docs   the documentation site, into site/
# make bench  every measurement (some want data/prepared, see README.md); studies that train are in benchmarks/studies
# make clean  removes what the targets made
SHELL  := /bin/bash
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
PIP     = $(BIN)/python -m pip --disable-pip-version-check
# Two processes at a time, one thread each, or they take each other's cores.
TESTS  ?= -n 2 -q --durations=10
SITE   ?= site

.PHONY: help setup demo test lint docs bench clean
help:
	@sed -n 's/^# \(make.*\)/\1/p' Makefile

# The stamps say what is installed, so that a second `make` installs nothing.
$(VENV)/.base: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Laban needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Pass PYTHON=python3.11.")'
	@echo "setting up $(VENV) (once) ..."
	@$(PYTHON) -m venv $(VENV)
	@begin=$$(date +%s); $(PIP) install --quiet --constraint constraints.txt --editable . \
	  && echo "installed Laban in $$(( $$(date +%s) - begin )) s"
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	@begin=$$(date +%s); $(PIP) install --quiet --constraint constraints.txt --editable '.[dev]' \
	  && echo "installed the development tools in $$(( $$(date +%s) - begin )) s"
	@touch $@

$(VENV)/.docs: $(VENV)/.base
	@$(PIP) install --quiet --constraint constraints.txt --editable '.[docs]' && echo "installed what the site is built with"
	@touch $@

setup: $(VENV)/.base

demo: $(VENV)/.base
	@mkdir -p demo
	$(BIN)/laban generate "a person walks forward and turns left" --seconds 6 --seed 7 \
	  --out demo/walk.glb demo/walk.bvh demo/walk.mp4 demo/walk.html

test: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(TESTS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --site-dir $(abspath $(SITE))

bench: $(VENV)/.dev
	@failed=; for script in $$(grep -l __main__ benchmarks/*.py); do \
	  echo "== $$script"; $(BIN)/python $$script || failed="$$failed $$script"; done; \
	  [ -z "$$failed" ] || { echo "did not run to the end:$$failed"; exit 1; }

clean:
	rm -rf .venv build dist demo site *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
