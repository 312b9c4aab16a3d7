# Everything that a new user needs: `make run` and `make test` set up what they need themselves, once.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
export PATH := $(CURDIR)/$(BIN):$(PATH)
export DO_NOT_TRACK := 1
export DVC_NO_ANALYTICS := 1
export MLFLOW_DISABLE_TELEMETRY := true
export PREFECT_SERVER_ANALYTICS_ENABLED := false

.PHONY: run test smoke lint format types check server ui clean

run: $(READY)  ## the main job on the data of params.yaml
	@$(BIN)/python -m flows.pipeline

test: $(READY)  ## the whole test suite
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile --max-worker-restart 0

smoke: $(READY)  ## the same chain at a hundredth of the budget, in a folder of its own
	@$(BIN)/python -m flows.smoke

lint: $(READY)
	@$(BIN)/ruff check .

format: $(READY)
	@$(BIN)/ruff format --check .

types: $(READY)
	@$(BIN)/mypy

check: lint format types

server: $(READY)  ## a Prefect server on http://127.0.0.1:4200, for scheduled runs
	@$(BIN)/prefect server start --host 127.0.0.1

ui: $(READY)  ## the MLflow pages on http://127.0.0.1:5000
	@$(BIN)/mlflow server --backend-store-uri sqlite:///$(CURDIR)/mlflow.db --host 127.0.0.1 --port 5000 --workers 1

clean:  ## take away results and checkpoints, not the environment, nor numbers that git may hold
	rm -rf .work .smoke results data dvc.lock

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "nasflow needs Python 3.11 or later; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	@echo "setting up .venv: some 230 packages, a few minutes"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,graph]'
	@touch $@
