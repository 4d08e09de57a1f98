# Each target does all of its own set-up; `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help demo test test-long check format bench docs clean
BIN := .venv/bin

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 12

demo:  ## the whole round on real flights: make demo, make demo ARGS="--exit --json out.json"
	@tools/setup.sh demo
	@$(BIN)/tondo demo $(ARGS)

test:  ## every test but the long ones
	@tools/setup.sh dev
	@$(BIN)/python -m pytest -q -n 2 --dist loadgroup -m "not long" $(ARGS)

test-long:  ## the tests that take minutes: kills, the whole demo, big tables
	@tools/setup.sh dev
	@$(BIN)/python -m pytest -q -m long $(ARGS)

check:  ## format, lint, types, imports, sizes, docs
	@tools/setup.sh dev
	@$(BIN)/ruff format --check src tests benchmarks tools
	@$(BIN)/ruff check src tests benchmarks tools
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest -q tests/architecture

format:  ## format and mend what can be mended
	@tools/setup.sh dev
	@$(BIN)/ruff format src tests benchmarks tools
	@$(BIN)/ruff check --fix src tests benchmarks tools

bench:  ## measure, each figure beside a peer or a floor (make bench ARGS=scorer)
	@tools/setup.sh dev
	@$(BIN)/python -m benchmarks $(ARGS)

docs:  ## write the generated reference pages and the CLI index again
	@tools/setup.sh dev
	@$(BIN)/python -m tondo.language.reference
	@$(BIN)/python -m tondo.faces.cli.generate

clean:  ## remove the virtual environment and caches (never your data)
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
