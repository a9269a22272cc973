# `make` lists what there is. Nothing has to be installed before: each target makes the
# environments that it needs, below .venv, from the pins in requirements/.

# Whatever else is on the path, `python3` is the one that was chosen for this shell.
PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 \
	python3.11 python3.10 python,$(shell $(name) -c 'import sys; \
	sys.version_info >= (3, 10) and print(sys.executable)' 2>/dev/null)))

UV := .venv/uv/bin/uv
DEV := .venv/dev/bin
MELTANO := .venv/meltano/bin

# Without it, the first run of everything that was installed would take twice as long.
export UV_COMPILE_BYTECODE := 1
export MELTANO_SEND_ANONYMOUS_USAGE_STATS := false
# Names in events are in any script, whatever the terminal's encoding is.
export PYTHONUTF8 := 1
# Environments of the caller would be mistaken for the ones made here.
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME

.PHONY: help
help: ## List the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1 \2/p' Makefile | \
		while read -r name text; do printf '%-16s%s\n' "$$name" "$$text"; done

.PHONY: demo
demo: .meltano/.installed-transform .meltano/.installed-report ## Run the tap through Meltano into PostgreSQL, twice
	@$(MELTANO)/python -m sandbox.demo

# A part has pins in requirements/, an environment and tests of its own, so that it can
# fail no other. One more is named here, and says below what `test-` means for it.
parts := tap transform analyze

.PHONY: test
test: lint $(parts:%=test-%) ## Check everything that has to pass

# With more processes than cores, because tests of retries and of kills mostly wait.
.PHONY: test-tap
test-tap: .venv/dev/.installed .meltano/.installed .meltano/.installed-transform .meltano/.installed-report ## Test the tap alone
	$(DEV)/python -m pytest --numprocesses=4 tests

.PHONY: test-pythons
test-pythons: .venv/dev/.installed ## Try the wheel alone on every Python that is found here
	ALL_PYTHONS=yes $(DEV)/python -m pytest tests/test_wheel.py

.PHONY: test-transform
test-transform: .venv/transform/.installed .meltano/.installed .meltano/.installed-transform .meltano/.installed-alerts .meltano/.installed-report ## Test the dbt package alone
	.venv/transform/bin/python -m pytest --numprocesses=auto --dist=loadgroup transform

.PHONY: test-analyze
test-analyze: .venv/analyze/.installed .meltano/.installed .meltano/.installed-alerts .meltano/.installed-report ## Test the alerts and the report alone
	.venv/analyze/bin/python -m pytest --numprocesses=auto --dist=loadgroup -r s analyze

# The slowest tests of all: not part of `make test`, which has to pass at any time.
.PHONY: test-clock
test-clock: .venv/dev/.installed .venv/transform/.installed .venv/analyze/.installed .meltano/.installed .meltano/.installed-transform .meltano/.installed-alerts .meltano/.installed-report ## Run all tests while a day, a February and ten minutes end
	$(DEV)/python -m testing.at_boundaries --numprocesses=4 tests
	.venv/transform/bin/python -m testing.at_boundaries --numprocesses=auto --dist=loadgroup transform
	.venv/analyze/bin/python -m testing.at_boundaries --numprocesses=auto --dist=loadgroup analyze

.PHONY: screenshots
screenshots: .venv/analyze/.installed .meltano/.installed ## Make the pictures of a report in docs/images
	.venv/analyze/bin/python analyze/screenshots.py

# Each is a hook in .pre-commit-config.yaml as well.
lints := style types sql yaml meltano workflows

.PHONY: lint
lint: .venv/dev/.installed .venv/transform/.installed ## Check style, types and what else can be seen without running
	@$(MAKE) --no-print-directory --jobs=2 --output-sync $(lints:%=lint-%)

.PHONY: lint-style
lint-style: .venv/dev/.installed
	$(DEV)/ruff check .
	$(DEV)/ruff format --check .

.PHONY: lint-types
lint-types: .venv/dev/.installed
	$(DEV)/mypy

.PHONY: lint-sql
lint-sql: .venv/transform/.installed
	.venv/transform/bin/python -m tools.lint_sql

.PHONY: lint-yaml
lint-yaml: .venv/dev/.installed
	$(DEV)/yamllint --strict .

.PHONY: lint-meltano
lint-meltano: .venv/dev/.installed
	$(DEV)/check-jsonschema --builtin-schema=vendor.meltano meltano.yml

.PHONY: lint-workflows
lint-workflows: .venv/dev/.installed
	$(DEV)/zizmor --quiet --offline --pedantic --strict-collection .github

audits := $(patsubst requirements/%.txt,audit-%,$(wildcard requirements/*.txt))

.PHONY: audit
audit: $(audits) ## Look up known vulnerabilities of the pinned packages

.PHONY: $(audits)
$(audits): audit-%: requirements/%.txt .venv/dev/.installed
	$(DEV)/pip-audit --disable-pip --no-deps --requirement $<

.PHONY: format
format: .venv/dev/.installed ## Correct style as far as that can be automatic
	$(DEV)/ruff check --fix .
	$(DEV)/ruff format .

.PHONY: generate
generate: .venv/dev/.installed ## Write what is made of the settings and the event types
	$(DEV)/python -m tools.generate

.PHONY: sandbox
sandbox: .venv/meltano/.installed ## Serve the sandbox for `meltano --environment=sandbox`
	$(MELTANO)/python -m sandbox --port=8765 --clock=machine --history=story --start=90d --end=now \
		--grow-per-second=0.1 --workspace-events=300

.PHONY: benchmark
benchmark: .venv/dev/.installed ## Measure the tap beside a bare loop, in ten minutes at most
	$(DEV)/python benchmarks/run.py $(OPTIONS)

.PHONY: reliability
reliability: .venv/dev/.installed ## Run the fault suite and write docs/reliability.md
	$(DEV)/python tests/fault_suite.py --write

.PHONY: install
install: .venv/dev/.installed .meltano/.installed .meltano/.installed-transform .meltano/.installed-alerts .meltano/.installed-report ## Make all environments

.PHONY: requirements
requirements: $(UV) ## Pin the newest versions of all dependencies
	cd requirements && $(compile) ../pyproject.toml --group ../pyproject.toml:dev \
		postgres.in --output-file dev.txt
	cd requirements && $(compile) meltano.in --group ../pyproject.toml:sandbox \
		--output-file meltano.txt
	cd requirements && $(compile) transform.in --group ../pyproject.toml:sandbox \
		--output-file transform.txt
	cd requirements && $(compile) analyze.in --group ../pyproject.toml:sandbox \
		--output-file analyze.txt

compile = ../$(UV) pip compile --quiet --upgrade --universal --python-version=3.10 \
	--no-emit-index-url --no-annotate --custom-compile-command='make requirements'

.PHONY: clean
clean: ## Remove what was made here, but neither Meltano's state nor loaded data
	rm -rf .venv .work .meltano/.installed* .meltano/extractors .meltano/loaders
	rm -rf .meltano/utilities .meltano/dbt
	rm -rf .meltano/run .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(UV):
	@test -n "$(PYTHON)" || { echo "No Python 3.10 or newer was found: install it," \
		"or name it, as in make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -m venv --clear .venv/uv || { echo "$(PYTHON) cannot make environments:" \
		"install its venv module (Debian, Ubuntu: apt install python3-venv)" >&2; exit 1; }
	.venv/uv/bin/python -m pip install --quiet --disable-pip-version-check \
		--constraint requirements/meltano.txt uv

# uv does not read pip's configuration: where only pip knows a registry, pip installs.
define environment
$(UV) venv --quiet --clear --no-project --python .venv/uv/bin/python $(@D)
$(UV) pip install --quiet --python $(@D) --requirement $< $(1) || { \
	.venv/uv/bin/python -m venv --clear $(@D) && \
	$(@D)/bin/python -m pip install --quiet --requirement $< $(1); }
@touch $@
endef

.venv/dev/.installed: requirements/dev.txt pyproject.toml VERSION | $(UV)
	$(call environment,--editable .)

.venv/%/.installed: requirements/%.txt | $(UV)
	$(call environment)

define plugins
$(install-plugins) $(1) || MELTANO_VENV_BACKEND=virtualenv $(install-plugins) --clean $(1)
@touch $@
endef
install-plugins = $(MELTANO)/meltano --log-level=warning install

.meltano/.installed-demo: meltano.yml pyproject.toml VERSION .venv/meltano/.installed
	$(call plugins,tap-openai-audit target-postgres)

.meltano/.installed: .meltano/.installed-demo
	$(call plugins,$(others))

.meltano/.installed-transform: .meltano/.installed-demo
	$(call plugins,dbt)

.meltano/.installed-alerts: meltano.yml VERSION analyze/pyproject.toml .venv/meltano/.installed
	$(call plugins,alerts)

.meltano/.installed-report: meltano.yml VERSION analyze/pyproject.toml .venv/meltano/.installed
	$(call plugins,report)

# `meltano.yml` says why DuckDB cannot be had for newer ones.
others = tap-chatgpt-workspace target-jsonl $(shell $(MELTANO)/python -c \
	'import sys; sys.version_info < (3, 14) and print("target-duckdb")')
