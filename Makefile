# make setup | demo | test | check | docs — each makes what it needs first.
PYTHON ?= python3
PIP_ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
# One thread per process: spinning threads on a shared core cost ten times what they give.
export OMP_NUM_THREADS ?= 1
export OMP_WAIT_POLICY ?= PASSIVE
export TOKENIZERS_PARALLELISM ?= false

.PHONY: setup demo test check docs clean

setup: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install $(PIP_ARGS) --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install $(PIP_ARGS) --quiet --disable-pip-version-check -c constraints.txt \
		-e '.[trl,verify,trees,convex,gp]' hypothesis pycocotools 'pyright[nodejs]' pytest ruff
	touch $@

demo: setup
	$(BIN)/modomodo demo

test: setup
	$(BIN)/python -m pytest

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright

docs: setup
	$(BIN)/python -m pytest tests/test_examples.py tests/test_docs.py

clean:
	rm -rf $(VENV) studies runs .pytest_cache .ruff_cache
