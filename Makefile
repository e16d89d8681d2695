# make setup | demo | test | check | docs; before a release test-slow | test-families | test-browser | test-eval | test-verl |
# test-vllm; make experiment | experiment-full for docs/experiment.md; each makes what it needs; the browser itself is the
# system's.
PYTHON ?= python3
PIP_ARGS ?=
VENV := .venv
EVAL_VENV := .venv-eval
VERL_VENV := .venv-verl
VLLM_VENV := .venv-vllm
BIN := $(VENV)/bin
# PyPI's torchvision is built for CUDA; these let it be imported beside a torch for CPUs.
CPU_TORCHVISION := tests/torchvision_on_cpu.py tests/torchvision_on_cpu.pth
# One thread per process: spinning threads on a shared core cost ten times what they give.
export OMP_NUM_THREADS ?= 1
export OMP_WAIT_POLICY ?= PASSIVE
export TOKENIZERS_PARALLELISM ?= false
# Bytecode is written whatever the shell says: many processes start here.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: setup demo test test-slow test-families test-browser eval-env test-eval verl-env test-verl vllm-env \
	test-vllm check docs experiment experiment-full clean

setup: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install $(PIP_ARGS) --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install $(PIP_ARGS) --quiet --disable-pip-version-check -c constraints.txt \
		-e '.[trl,data,verify,trees,convex,gp,ray,docs,tensorboard]' hypothesis pycocotools 'pyright[nodejs]' \
		pytest pytest-xdist ruff
	touch $@

demo: setup
	$(BIN)/modomodo demo

# Two processes, a file's tests in one of them, the longest files first (tests/conftest.py).
test: setup
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test-slow: setup
	$(BIN)/python -m pytest -m slow

test-families: setup
	$(BIN)/python -m pytest tests/families -m ""

test-browser: $(VENV)/.browser
	$(BIN)/python -m pytest tests/browser -m browser

$(VENV)/.browser: $(VENV)/.installed
	$(BIN)/python -m pip install $(PIP_ARGS) --quiet --disable-pip-version-check -c constraints.txt \
		playwright axe-playwright-python
	touch $@

eval-env: $(EVAL_VENV)/.installed

# lmms-eval brings about a hundred packages, so the public benchmarks have an environment of their own.
$(EVAL_VENV)/.installed: pyproject.toml constraints.txt constraints-eval.txt
	$(PYTHON) -m venv $(EVAL_VENV)
	$(EVAL_VENV)/bin/python -m pip install $(PIP_ARGS) --quiet --disable-pip-version-check -c constraints.txt torch
	$(EVAL_VENV)/bin/python -m pip install $(PIP_ARGS) --quiet --disable-pip-version-check \
		-c constraints.txt -c constraints-eval.txt -e '.[eval]' pytest
	touch $@

test-eval: eval-env
	$(EVAL_VENV)/bin/python -m pytest tests/lmms

verl-env: $(VERL_VENV)/.installed

# verl needs an older transformers and an older antlr4 than the rest, so it shares neither environment nor constraints.
$(VERL_VENV)/.installed: pyproject.toml constraints-verl.txt $(CPU_TORCHVISION)
	$(PYTHON) -m venv $(VERL_VENV)
	$(VERL_VENV)/bin/python -m pip install $(PIP_ARGS) --quiet --disable-pip-version-check -c constraints-verl.txt torch
	$(VERL_VENV)/bin/python -m pip install $(PIP_ARGS) --quiet --disable-pip-version-check \
		-c constraints-verl.txt -e '.[verl]' pytest
	cp $(CPU_TORCHVISION) $(VERL_VENV)/lib/python3*/site-packages/
	touch $@

test-verl: verl-env
	$(VERL_VENV)/bin/python -m pytest tests/verl tests/training/test_verl_limits.py tests/training/test_verl_contract.py

vllm-env: $(VLLM_VENV)/.installed

# vLLM on a CPU. The pins are the whole environment, which no resolver would take: see the file. They are
# installed as they stand.
$(VLLM_VENV)/.installed: pyproject.toml constraints-vllm.txt $(CPU_TORCHVISION)
	$(PYTHON) -m venv $(VLLM_VENV)
	$(VLLM_VENV)/bin/python -m pip install $(PIP_ARGS) --quiet --disable-pip-version-check --no-deps \
		-r constraints-vllm.txt -e .
	cp $(CPU_TORCHVISION) $(VLLM_VENV)/lib/python3*/site-packages/
	touch $@

test-vllm: vllm-env
	$(VLLM_VENV)/bin/python -m pytest tests/with_vllm

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright

# The site, in site/; its links, snippets and commands are tested first.
docs: setup
	$(BIN)/python -m pytest tests/test_examples.py tests/test_docs.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# The tables and figures of docs/experiment.md, from the tables of runs that are shipped; a minute.
experiment: $(VENV)/.figures
	$(BIN)/python benchmarks/pages.py

$(VENV)/.figures: $(VENV)/.installed
	$(BIN)/python -m pip install $(PIP_ARGS) --quiet --disable-pip-version-check -c constraints.txt kaleido
	touch $@

# Everything behind them anew, about a day on two cores; run again it goes on. git diff then compares with what is shipped.
experiment-full: $(VENV)/.figures studies/.experiment
	for world in uneven control; do $(BIN)/python benchmarks/nano_grid.py run $$world || exit 1; done
	$(BIN)/python benchmarks/nano_grid.py ship
	$(BIN)/python benchmarks/experiment.py replay
	$(BIN)/python benchmarks/experiment.py often
	for world in uneven control; do $(BIN)/python benchmarks/nano_grid.py run $$world || exit 1; done
	$(BIN)/python benchmarks/nano_grid.py ship
	for world in uneven control; do $(BIN)/python benchmarks/cheaper.py proxies $$world || exit 1; done
	$(BIN)/python benchmarks/cheaper.py replay
	for world in uneven control; do $(BIN)/python benchmarks/confirmed.py choose $$world || exit 1; done
	for world in uneven control; do $(BIN)/python benchmarks/confirmed.py run $$world || exit 1; done
	$(BIN)/python benchmarks/online.py run
	$(BIN)/python benchmarks/gains.py
	$(MAKE) experiment

# What is shipped would count as done.
studies/.experiment:
	rm -f $(addprefix benchmarks/results/,experiment.csv recommended.csv proxies_uneven.csv proxies_control.csv cheaper.csv \
		confirmed_mixtures.csv confirmed.csv online.csv gains.csv)
	mkdir -p studies
	touch $@

clean:
	rm -rf $(VENV) $(EVAL_VENV) $(VERL_VENV) $(VLLM_VENV) studies runs site .pytest_cache .ruff_cache
