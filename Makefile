# `make demo` and `make test` are the two commands of the README; each makes what it needs in .venv.
SHELL := /bin/sh
VENV ?= .venv
PYTHON ?=
STAMP := $(VENV)/.installed
RUN := $(VENV)/bin/python

.PHONY: help demo test test-heavy check test-all bench oracle faults fuzz clean
help:
	@echo "make demo      the main job on a real server, in under a minute"
	@echo "make test      the tests, on one Python (VENV=dir PYTHON=/path/to/python choose which)"
	@echo "make test-heavy  those that take long: thousands of swaps, searches of the heap; by themselves"
	@echo "make test-all  all of these on every Python from 3.11 up that is found"
	@echo "make check     ruff and mypy --strict"
	@echo "make corpus    the cases of the swap contract, as a table"
	@echo "make bench     save to live, pauses, a long life, bad pushes; printed beside a floor"
	@echo "make faults    kills, broken disks, stores and networks, at length; prints figures (FAULTS=--quick, '--help')"
	@echo "make fuzz      a million mutated pushes and entries, atheris, schemathesis; prints figures (FUZZ='--help')"
	@echo "make oracle    swaps against fresh processes: made-up edits, releases of packages (ORACLE='--help' for options)"

$(STAMP): pyproject.toml tools/find_python.sh
	@python=$${PYTHON:-"$(PYTHON)"}; [ -n "$$python" ] || python=$$(sh tools/find_python.sh) || exit 2; \
	 "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	   echo "error[no-python]: $$python is older than Python 3.11; nothing was installed" >&2; \
	   echo "  help: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 2; }; \
	 echo "making $(VENV) with $$python"; \
	 rm -rf "$(VENV)" && "$$python" -m venv "$(VENV)"
	@$(RUN) -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

demo: $(STAMP)
	@$(RUN) -m habanero_py demo

# One more than there are cores: many tests wait for servers that they started.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
test: $(STAMP)
	$(RUN) -m pytest -n $(WORKERS) --dist worksteal -m "not heavy"

test-heavy: $(STAMP)
	$(RUN) -m pytest -m heavy --timeout 600 tests/swap

check: $(STAMP)
	$(VENV)/bin/ruff check .
	$(RUN) -m mypy

test-all:
	@pythons=$$(sh tools/find_python.sh --all) || exit 2; \
	 for python in $$pythons; do \
	   minor=$$("$$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	   echo "== Python $$minor ($$python)"; \
	   $(MAKE) --no-print-directory test test-heavy PYTHON="$$python" VENV=".venv-$$minor" || exit 1; \
	 done

# The cases of the swap contract; ENGINE=jurigged and the like for others, where they are installed.
ENGINE ?= tests/corpus/driver.py
corpus: $(STAMP)
	$(RUN) tests/corpus/run.py --engine $(ENGINE) --python $(RUN) --verbose

bench: $(STAMP)
	$(RUN) -m benchmarks.save_to_live
	$(RUN) -m benchmarks.commit_pause
	$(RUN) -m benchmarks.boot
	$(RUN) -m benchmarks.long_life
	$(RUN) -m benchmarks.hostile

oracle: $(STAMP)
	@PYTHONPATH=tests $(RUN) -m oracle $(ORACLE)

faults: $(STAMP)
	@PYTHONPATH=tests $(RUN) -m faults $(FAULTS)

$(VENV)/.fuzz-installed: $(STAMP)
	@$(RUN) -m pip install --quiet --disable-pip-version-check -e '.[dev,fuzz]' || \
	   echo "warning: atheris or schemathesis has no wheel for this Python; their parts are skipped" >&2
	@touch $@

fuzz: $(VENV)/.fuzz-installed
	@PYTHONPATH=tests $(RUN) -m fuzz $(FUZZ)

clean:
	rm -rf .venv .venv-* .mypy_cache .ruff_cache .pytest_cache .hypothesis
