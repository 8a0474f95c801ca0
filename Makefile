# The same commands here, in CI and on a user's machine.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
PEERS := build/peers/venv/.installed
USERS := build/users/venv/.installed
WORKERS ?= 2
NATIVE := $(wildcard src/native/*.?pp src/native/*/*.?pp)

.PHONY: install demo test test-all check format techniques clean
.PHONY: peers bench bench-quick bench-page bench-b1 bench-b2 bench-b3 bench-b4 bench-gpu bench-techniques bench-probes bench-convolutions bench-b5 bench-b6 bench-b7

install: $(STAMP)

# Done again when what is declared changes; a half-made environment is made anew.
$(STAMP): pyproject.toml CMakeLists.txt $(NATIVE)
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || \
	  { echo "Deepwell needs Python 3.11 or later: make install PYTHON=python3.11"; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv || \
	  { echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $(STAMP)

demo: install
	rm -rf build/demo && mkdir -p build/demo
	cd build/demo && ../../$(BIN)/deepwell sample digits -o digits.csv
	cd build/demo && ../../$(BIN)/deepwell fit digits.csv --target label --name digits
	cd build/demo && ../../$(BIN)/deepwell test digits

# Files of tests side by side; WORKERS=0 for one after another.
test: install
	$(BIN)/python -m pytest -m "not slow" -n $(WORKERS) --dist loadfile

test-all: install
	$(BIN)/python -m pytest

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/clang-format --dry-run -Werror $(NATIVE)
	$(BIN)/pyright
	$(BIN)/python -m pytest tests/architecture

format: install
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(NATIVE)
	$(BIN)/ruff check --fix .

# The page of techniques, from what the tests are marked to prove.
techniques: install
	$(BIN)/python tests/docs/technique_table.py

# The tools that Deepwell is compared with, in an environment of their own.
peers: $(PEERS)

$(PEERS): benchmarks/peers/requirements.txt
	@build/peers/venv/bin/python -m pip --version >/dev/null 2>&1 || \
	  $(PYTHON) -m venv --clear build/peers/venv
	build/peers/venv/bin/python -m pip install --quiet --requirement $<
	touch $@

# Deepwell as users install it, which starts sooner than an editable installation.
$(USERS): pyproject.toml CMakeLists.txt $(NATIVE) $(shell find src/deepwell -name '*.py')
	@build/users/venv/bin/python -m pip --version >/dev/null 2>&1 || \
	  $(PYTHON) -m venv --clear build/users/venv
	build/users/venv/bin/python -m pip install --quiet .
	touch $@

# A benchmark that was interrupted goes on; FRESH=--fresh starts anew.
bench-b1 bench-b2 bench-b3: bench-%: $(USERS) peers
	build/users/venv/bin/python -m benchmarks $* $(FRESH)

# Searches against the clock, ours and the peers'; it is called again until it is done (hours).
# BENCH="--scale reduced" or BENCH="--only NAME" for less; what has `--only fit` and all peers is
# published too.
bench-b4: $(USERS) peers
	build/users/venv/bin/python -m benchmarks b4 $(FRESH) $(BENCH)

bench: $(USERS) peers
	build/users/venv/bin/python -m benchmarks b1 b2 b3 --scale reduced $(FRESH)

bench-quick: install peers
	$(BIN)/python -m benchmarks b1 b7 --scale quick --fresh

bench-gpu: install
	$(BIN)/python -m benchmarks gpu $(FRESH)

# What each technique of training costs beside plain descent.
bench-techniques: install
	$(BIN)/python -m benchmarks.techniques

# What probes of the best network cost in a whole fit.
bench-probes: install
	$(BIN)/python -m benchmarks.probes

# Convolutional networks on Fashion-MNIST, beside PyTorch and plain JAX.
bench-convolutions: install peers
	$(BIN)/python -m benchmarks.convolutions

# Samplers beside Optuna's, on functions whose best is known. In full it takes nights: it stops after
# 45 minutes, and the same command goes on.
bench-b5: install peers
	$(BIN)/python -m benchmarks b5 $(FRESH)

# Recording studies and opening them, beside Optuna's storages; needs a PostgreSQL server's programs.
bench-b6: install peers
	$(BIN)/python -m benchmarks b6 $(FRESH)

# Planted faults and clean runs: the half that thresholds may be set by. The sealed half is opened
# once, with `python -m benchmarks b7 --open-sealed`, which is put on record.
bench-b7: install
	$(BIN)/python -m benchmarks b7 $(FRESH)

bench-page: install
	$(BIN)/python -m benchmarks page

clean:
	rm -rf .venv build dist .pytest_cache .ruff_cache .hypothesis
