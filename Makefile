# Every target is one line over a `harness` command (or a tool); each sets the environment up first.
TASK    ?=
PROMPT  ?= v3
MODEL   ?=
DATASET ?=
LIMIT   ?=
BUDGET  ?=

PYTHON  ?= python3
BIN     := .venv/bin
HARNESS := $(BIN)/harness
READY   := .venv/ready
TEAM    := .venv-team/ready

option   = $(if $(2),--$(1) $(2))
WHICH    = $(call option,dataset,$(DATASET))
SIZE     = $(call option,limit,$(LIMIT))
PROMPTED = --prompt $(PROMPT) $(call option,task,$(TASK)) $(call option,model,$(MODEL)) $(call option,budget,$(BUDGET))

.DEFAULT_GOAL := help
.PHONY: help setup eval baselines report figures gate test check format bench sims soak team team-quick golden lock clean

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## create .venv with the pinned packages (everything else does this first)

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

eval: $(READY) ## evaluate one prompt beside the baselines:  make eval PROMPT=v3
	$(HARNESS) eval $(PROMPTED) $(WHICH) $(SIZE) --baselines

baselines: $(READY) ## fit and evaluate the arms that need no model
	$(HARNESS) baselines $(WHICH) $(SIZE)

report: $(READY) ## write the HTML and Markdown report
	$(HARNESS) report $(WHICH)

figures: $(READY) ## write the figures and the tables behind them
	$(HARNESS) figures $(WHICH)

gate: $(READY) ## check the candidate against the pinned baseline before a deploy (set in [tool.harness.gate])
	$(HARNESS) gate $(call option,model,$(MODEL)) $(call option,budget,$(BUDGET)) $(WHICH) $(SIZE)

test: $(READY) ## run the tests, the local language model among them
	$(BIN)/python -m pytest -m "not bench and not live and not sims and not soak and not team" --numprocesses auto --dist loadfile

check: $(READY) ## format, lint, types, tests, documentation: exactly what CI runs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(MAKE) --no-print-directory test

format: $(READY) ## rewrite the sources in the one format
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .

bench: $(READY) ## timings and large sets (needs the public datasets beside the checkout)
	$(BIN)/python -m pytest -m bench -s tests/bench

sims: $(READY) ## simulate what the verdict promises, at length (hours), and the worlds of names in which a reader takes seconds
	$(BIN)/python -m pytest -m sims --numprocesses auto --dist loadfile
	$(BIN)/python -m pytest -m "hypothesis and not bench and not soak and not team" --hypothesis-profile explore \
	  --numprocesses auto --dist loadfile

soak: $(READY) ## kills, faults and load for a long time
	$(BIN)/python -m pytest -m "soak and not team" tests

team: $(TEAM) ## the shared store and ledger on a real PostgreSQL, and Ray, in an environment of their own
	.venv-team/bin/python -m pytest tests/team

team-quick: $(TEAM) # one cell of the above, as CI runs it
	.venv-team/bin/python -m pytest -m quick tests/team

# DuckDB's extensions load into the version that they were built for alone, and that is not the lock's.
$(TEAM): $(READY) requirements-team.lock pyproject.toml
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-team
	$(BIN)/uv pip install --quiet --python .venv-team/bin/python --require-hashes --requirement requirements-team.lock
	$(BIN)/uv pip install --quiet --python .venv-team/bin/python --no-deps --no-build-isolation --editable .
	@touch $@

golden: $(READY) ## refresh the files that tests compare with
	HARNESS_GOLDEN=refresh $(BIN)/python -m pytest -q tests/report tests/test_docs.py

lock: $(READY) ## pin the newest allowed packages, with hashes
	$(BIN)/uv pip compile pyproject.toml --extra local --extra dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate --quiet --output-file requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra team --extra ray --group team --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet --output-file requirements-team.lock

clean: ## remove the environment and every cache; results stay
	rm -rf .venv .venv-team .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
