# Every target says with ## what it does; `make help` prints them.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHONPATH :=
export PYTHONPATH

# The first Python that is new enough and can make a virtual environment; PYTHON=... overrides.
# The distribution's own goes first: it is built with profile-guided optimisation, which one built
# by hand seldom is, and that is worth a sixth of the CPU of a purchase (loadtests/README.md).
PROBE := import sys, ensurepip, ssl, venv; sys.exit(sys.version_info < (3, 11))
CANDIDATES := .venv/bin/python \
	/usr/bin/python3.13 /usr/bin/python3.12 /usr/bin/python3.11 \
	python3.13 python3.12 python3.11 python3
PYTHON ?= $(shell for python in $(CANDIDATES); do \
	"$$python" -c "$(PROBE)" >/dev/null 2>&1 && echo "$$python" && break; done)

define READY
python="$(PYTHON)"; if [ -z "$$python" ]; then \
	echo "This needs Python 3.11 or newer with venv; on Debian or Ubuntu: apt install python3 python3-venv" >&2; \
	exit 1; fi; "$$python" deploy/venv.py
endef

##@ Use
.PHONY: run test load takeover rolling hostile fuzz-http chaos simulate fuzz figures
run: ## Set up, start everything in one process and show one purchase; KAFKA=1: on Kafka
	@$(READY)
	@exec .venv/bin/lesko run $(if $(KAFKA),--kafka)

test: setup ## Set up and run all tests that this machine can run
	@.venv/bin/python tests/run.py

load: setup ## Measure against pgbench on this machine and print the table
	@.venv/bin/python -m loadtests.run

takeover: setup ## Measure how soon a restarted and a second switch serve, and print the table
	@.venv/bin/python -m loadtests.takeover

rolling: setup ## Restart each process on Kafka in order amid purchases, and print what it cost
	@.venv/bin/python -m loadtests.rolling

fuzz-http: setup ## Ask every endpoint of admin thousands of things by its own form, signed in
	@.venv/bin/python -m loadtests.http_fuzz

hostile: setup ## Let bad clients attack the switch, and print what good terminals feel of them
	@.venv/bin/python -m loadtests.hostile

chaos: setup ## Kill and freeze everything in turn amid purchases, and check the books after each
	@.venv/bin/python -m loadtests.chaos

simulate: setup ## Live through SEEDS=n worlds in virtual time, in which everything goes wrong
	@.venv/bin/python -m tests.simulation.run 1 $(or $(SEEDS),1000)

fuzz: setup ## Let a coverage-guided fuzzer look for what breaks a decoder; SECONDS=n for each target
	@.venv/bin/python -c "import atheris" 2>/dev/null || .venv/bin/pip install --quiet "atheris==3.0.0"
	@.venv/bin/python -m tests.fuzz.run --seconds $(or $(SECONDS),90)

figures: setup ## Make the tables of loadtests/README.md again from the raw outputs
	@.venv/bin/python -m loadtests.figures

##@ Work
.PHONY: setup check fmt proto pins clean
setup: ## Make .venv with all that developers need; does nothing when nothing changed
	@$(READY) dev

check: setup ## Format, lint, types, import laws and tidy: what must hold before a commit
	@.venv/bin/python tests/run.py format lint types laws tidy

fmt: setup ## Format the sources and repair what ruff can repair
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

proto: setup ## Make the Python of proto/ again; refuses what breaks older records
	@.venv/bin/python -m libs.contracts.generate
	@.venv/bin/python -m libs.contracts.compatibility --accept

pins: setup ## Pin the installed packages in deploy/constraints.txt
	@.venv/bin/python -m pip freeze --exclude-editable > deploy/constraints.txt

clean: ## Remove what can be made again; never the data in ./var
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	@rm -rf lesko_switch.egg-info
	@find libs services tests loadtests hardware-agent -name __pycache__ -prune -exec rm -rf {} +

##@ Rings of tests
.PHONY: tidy unit property contract integration simulation e2e
tidy unit property contract integration simulation e2e: setup ## Run one ring
	@.venv/bin/python tests/run.py $@

##@ Help
.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} \
		/^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z0-9 ]+:.*## / {printf "  %-44s %s\n", $$1, $$2}' Makefile
