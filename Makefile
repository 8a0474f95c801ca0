# The same commands here, in CI and on a user's machine.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: install demo test test-all check format clean

install: $(STAMP)

$(STAMP): pyproject.toml CMakeLists.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $(STAMP)

demo: install
	rm -rf build/demo && mkdir -p build/demo
	cd build/demo && ../../$(BIN)/deepwell sample digits -o digits.csv
	cd build/demo && ../../$(BIN)/deepwell fit digits.csv --target label --name digits
	cd build/demo && ../../$(BIN)/deepwell test digits

test: install
	$(BIN)/python -m pytest -m "not slow"

test-all: install
	$(BIN)/python -m pytest

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/python -m pytest tests/architecture

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv build dist .pytest_cache .ruff_cache .hypothesis
