# The two commands of the README: `make run` and `make test`. Each sets up .venv by itself.
SHELL := /bin/bash
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(not (3,11) <= sys.version_info[:2] <= (3,13))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
NATIVE := CMakeLists.txt $(shell find rsim/native -type f 2>/dev/null)
# The hot path is compiled, Python as it is (CMakeLists.txt). COMPILE=OFF runs it from source: for
# debuggers, for coverage, and while editing. Without a choice it stays as it was built last.
COMPILE ?= $(if $(wildcard .venv/compile-OFF),OFF,ON)
COMPILED := tools/compile_modules.py rsim/clock.py $(shell grep -oE '^  rsim/[a-z_/]+\.py' CMakeLists.txt) \
	$(shell find rsim/endpoints rsim/handlespace rsim/network rsim/wire rsim/workload -name '*.py' 2>/dev/null)
STUDY := experiments/registration-flood/study.toml
OUT := results/registration-flood

.PHONY: run test lint types native-test python-test coverage notebook docs bench sanitize fuzz soak determinism hostile big mutants wheel conformance coverage-study verification clean machine

run: .venv/built
	rm -rf $(OUT)
	$(BIN)/rsim sweep $(STUDY) --quick --out $(OUT)
	$(BIN)/rsim plot $(OUT)

test: lint types native-test python-test

lint: .venv/built
	$(BIN)/ruff format --check rsim tests tools notebooks docs
	$(BIN)/ruff check rsim tests tools docs
	$(BIN)/lint-imports --no-cache
	$(BIN)/python tools/lint_sets.py rsim

types: .venv/built
	$(BIN)/mypy

native-test: build/native/built
	$(BIN)/ctest --test-dir build/native --output-on-failure

python-test: .venv/built
	$(BIN)/pytest -n auto

# Lines and branches that the tests run, from source.
coverage:
	$(MAKE) .venv/built COMPILE=OFF
	$(BIN)/pytest -n auto --cov --cov-report=term:skip-covered

# JupyterLab with the notebooks; they are text (jupytext), Open With > Notebook.
notebook: .venv/built
	$(BIN)/jupyter lab notebooks

# The site with all notebooks run, in docs/_build/html; a warning is an error.
docs: .venv/built
	$(BIN)/python -m sphinx -b html -W --keep-going docs docs/_build/html

bench: .venv/built build/native/built
	$(BIN)/python tests/benchmarks/standard.py
	$(BIN)/python tests/benchmarks/scale.py
	$(BIN)/python tests/benchmarks/network.py
	$(BIN)/python tests/benchmarks/servers.py
	$(BIN)/python tests/benchmarks/flood.py
	$(BIN)/python tests/benchmarks/codec.py
	build/native/tests/benchmarks/bench_clock
	build/native/tests/benchmarks/bench_codec
	$(BIN)/python tests/benchmarks/handlespace.py
	$(BIN)/python tests/benchmarks/sweeps.py
	build/native/tests/benchmarks/bench_handlespace

# Address and undefined-behaviour sanitizers over the C++ tests and over the tests of the native
# module from Python. The module with sanitizers stands in a copy of the package of its own; -S keeps
# Python from finding the installed one.
SANITIZE := -DCMAKE_BUILD_TYPE=Debug -DRSIM_SANITIZE=address,undefined -G Ninja \
	-DCMAKE_MAKE_PROGRAM=$(CURDIR)/$(BIN)/ninja
sanitize: .venv/built
	$(BIN)/cmake -S . -B build/sanitize $(SANITIZE) -DRSIM_PYTHON=OFF -DRSIM_TESTS=ON
	$(BIN)/cmake --build build/sanitize
	$(BIN)/ctest --test-dir build/sanitize --output-on-failure
	$(BIN)/cmake -S . -B build/sanitize-python $(SANITIZE) -DPython_EXECUTABLE=$(CURDIR)/$(BIN)/python
	$(BIN)/cmake --build build/sanitize-python --target _native
	mkdir -p build/sanitize-python/package
	cp -r rsim build/sanitize-python/package/
	cp build/sanitize-python/_native*.so build/sanitize-python/package/rsim/
	LD_PRELOAD="$$($${CXX:-c++} -print-file-name=libasan.so) $$($${CXX:-c++} -print-file-name=libstdc++.so)" \
		ASAN_OPTIONS=detect_leaks=0 \
		PYTHONPATH=build/sanitize-python/package:$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("platlib"))') \
		$(BIN)/python -S -m pytest -q -p no:cacheprovider -o "pythonpath=build/sanitize-python/package ." \
		tests/handlespace tests/wire/test_twin.py tests/wire/test_vectors.py tests/test_clock.py \
		tests/test_randomness.py tests/network tests/hostile/test_native.py tests/hostile/test_native_policies.py \
		tests/hostile/test_native_queue.py -k "not memory"

# The codec against its twin on a million mutated messages, and under libFuzzer with sanitizers on
# ten million inputs (needs clang; Debian: apt-get install clang).
fuzz: .venv/built
	$(BIN)/python -m tests.fuzz.codec_twin 1000000
	@command -v clang++ >/dev/null || { echo "make fuzz needs clang++ with libFuzzer (Debian: apt-get install clang)." >&2; exit 1; }
	mkdir -p build/fuzz
	clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		-Irsim/native tests/fuzz/fuzz_codec.cpp rsim/native/wire/*.cpp -o build/fuzz/fuzz_codec
	$(BIN)/python -m tests.fuzz.write_corpus build/fuzz/corpus
	build/fuzz/fuzz_codec -runs=10000000 -max_len=600 -verbosity=0 build/fuzz/corpus

# Errors put into the code on purpose, each of which a test must notice. ONLY=takeover for some.
mutants: .venv/built
	$(BIN)/python -m tests.mutants $(foreach text,$(ONLY),--only $(text))

# A wheel, and the tests against it in an environment of its own, away from the source tree.
WHEEL := build/wheel
wheel: .venv/built
	rm -rf $(WHEEL) && mkdir -p $(WHEEL)/away
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation -w $(WHEEL) .
	$(PYTHON) -m venv $(WHEEL)/venv
	$(WHEEL)/venv/bin/python -m pip install --quiet --disable-pip-version-check -r .venv/requirements.txt $(WHEEL)/*.whl
	cp -r tests experiments notebooks docs README.md CHANGELOG.md CONTRIBUTING.md CITATION.cff Makefile pyproject.toml $(WHEEL)/away
	cd $(WHEEL)/away && ../venv/bin/pytest -n auto tests

# Random deployments with faults and attackers, on all cores: none crashes, hangs, or breaks an
# invariant. COUNT=100 for a short look.
COUNT ?= 10000
soak: .venv/built
	$(BIN)/python -m tests.fuzz.deployments $(COUNT)

# Scenarios, studies, overrides, results, arrivals, graphs and captures that nobody should write,
# each in a process of its own; CASES=300 for a short look. Then signals to sweeps at random times.
CASES ?= 5000
SIGNALS ?= 300
hostile: .venv/built
	$(BIN)/python -m tests.hostile $(CASES)
	$(BIN)/python -m tests.hostile.signals $(SIGNALS)

# Random deployments in fresh processes with several hash seeds, from source and by workers: one
# digest each. DEPLOYMENTS=20 for a short look.
DEPLOYMENTS ?= 200
determinism: .venv/built
	$(BIN)/python -m tests.verification.determinism $(DEPLOYMENTS)

# Big and long runs, and sweeps that lose workers or their scheduler: what they take, and that
# nothing grows, drifts or is lost. CASES="month users" for some.
big: .venv/built
	$(BIN)/python -m tests.verification.big $(CASES)

# How often intervals cover a truth that is known: the table in docs/statistics.md (some minutes).
coverage-study: .venv/built
	$(BIN)/python -m tests.verification.coverage

# Theory against simulation: docs/verification.md, with z-scores and a joint test.
verification: .venv/built
	$(BIN)/python -m tests.verification.page

# The table of requirements: all mutants run, then the page is written.
conformance: mutants
	$(BIN)/python -m tests.conformance.page

clean:
	rm -rf .venv build results docs/_build docs/generated rsim/_native.pyi

# Set-up, each step once and again only when what it depends on has changed.
machine:
	@test -n "$(PYTHON)" || { echo "rsim needs Python 3.11, 3.12 or 3.13; none was found (Debian: apt-get install python3 python3-dev python3-venv)." >&2; exit 1; }
	@command -v $${CXX:-c++} >/dev/null || { echo "rsim needs a C++20 compiler; none was found (Debian: apt-get install g++)." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "rsim needs Python's venv module (Debian: apt-get install python3-venv)." >&2; exit 1; }
	@$(PYTHON) -c 'import os, sysconfig, sys; sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' || { echo "rsim needs Python's C headers (Debian: apt-get install python3-dev)." >&2; exit 1; }

.venv/packages: pyproject.toml | machine
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python tools/requirements.py dev notebook docs > .venv/requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r .venv/requirements.txt
	touch $@

.venv/compile-$(COMPILE): .venv/packages
	rm -f .venv/compile-* && touch $@

.venv/built: .venv/packages .venv/compile-$(COMPILE) $(NATIVE) $(if $(filter ON,$(COMPILE)),$(COMPILED))
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps \
		--config-settings=cmake.define.RSIM_COMPILE=$(COMPILE) -e .
	cp $$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("platlib"))')/rsim/_native.pyi rsim/
	touch $@

build/native/built: .venv/packages $(NATIVE) $(shell find tests/native tests/benchmarks -name '*.[ch]pp' -o -name CMakeLists.txt 2>/dev/null)
	$(BIN)/cmake -S . -B build/native -G Ninja -DCMAKE_MAKE_PROGRAM=$(CURDIR)/$(BIN)/ninja \
		-DCMAKE_BUILD_TYPE=Release -DRSIM_PYTHON=OFF -DRSIM_TESTS=ON
	$(BIN)/cmake --build build/native
	touch $@
