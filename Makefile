# Everything that a developer does here. `make` alone lists it.
.DEFAULT_GOAL := help
.PHONY: help demo test test-lowest test-newest test-python lint format lock docs translations fuzz mutants bench package release clean announce api site pictures screenshots interop comparison

export VENV := .venv
PYTHON ?= $(shell tools/find-python)
INSTALLED := $(VENV)/installed
REQUIREMENTS := requirements/dev.txt
BENCHMARKS := verification page_view startup login rotation issuers gunicorn_pages soak stranger api
QUIET_PIP := PIP_QUIET=1 PIP_DISABLE_PIP_VERSION_CHECK=1

help: ## list what can be done
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-14s%s\n", $$1, $$2 }' Makefile

demo: $(INSTALLED) ## run the example app and the stand-in Cobot, ready to log in at (PORT=5000, STANDIN_PORT=5001, PORTAL_HOST=portal.localhost)
	@$(VENV)/bin/python -m example_app

test: PROGRAMS := chromium firefox redis-server nginx apache2
test: $(INSTALLED) ## run all tests (TESTS=tests/protocol for some; REQUIRE_ALL=1: nothing may be left out)
	@COBOT_OIDC_TEST_BROWSER="$$(tools/find-program chromium)" \
	  COBOT_OIDC_TEST_FIREFOX="$$(tools/find-program firefox)" \
	  COBOT_OIDC_TEST_REDIS_SERVER="$$(tools/find-program redis-server)" \
	  COBOT_OIDC_TEST_NGINX="$$(tools/find-program nginx)" \
	  COBOT_OIDC_TEST_APACHE="$$(tools/find-program apache2)" \
	  COBOT_OIDC_TEST_REQUIRE_ALL="$(REQUIRE_ALL)" \
	  $(VENV)/bin/python -m pytest $(TESTS)

screenshots: PROGRAMS := chromium
screenshots: $(INSTALLED) ## take pictures of every page, in light and dark, for phones and desks, into build/screenshots
	@rm -rf build/screenshots
	@COBOT_OIDC_TEST_BROWSER="$$(tools/find-program chromium)" COBOT_OIDC_TEST_REQUIRE_ALL=1 \
	  $(VENV)/bin/python -m pytest -q tests/looks/test_our_pages.py tests/looks/test_standins_pages.py \
	  tests/example_app/test_bookings_in_a_browser.py -k "each_page or every_page or in_a_frame or debug or german"
	@echo "build/screenshots: $$(ls build/screenshots | wc -l) pictures, such as portal-home-light-1280.png"

test-lowest: ## run all tests on the lowest versions that pyproject.toml allows (TESTS=... for some)
	@$(MAKE) --no-print-directory test VENV=build/lowest REQUIREMENTS=requirements/lowest.txt \
	  PYTHON="$(shell tools/find-python python3.11)"

test-newest: $(INSTALLED) ## run all tests on the newest versions, without the lock (TESTS=... for some)
	@mkdir -p build/newest
	@$(VENV)/bin/uv --no-config pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	  --no-header --all-extras --group dev pyproject.toml --output-file build/newest.new --upgrade
	@cmp --silent build/newest.new build/newest.txt && rm build/newest.new || mv build/newest.new build/newest.txt
	@$(MAKE) --no-print-directory test VENV=build/newest REQUIREMENTS=build/newest.txt

test-python: ## run all tests on another interpreter, in an environment of its own (PYTHON=python3.13, TESTS=... for some)
	@$(MAKE) --no-print-directory test PYTHON="$(PYTHON)" \
	  VENV="build/python-$$("$(PYTHON)" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"

lint: $(INSTALLED) ## check format, style and types
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/mypy
	@PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(VENV)/bin/pyright

format: $(INSTALLED) ## bring the code into its format
	@$(VENV)/bin/ruff format .
	@$(VENV)/bin/ruff check --fix .

lock: UPGRADE ?= --upgrade
lock: $(INSTALLED) ## choose the newest versions of what development needs, and the lowest that are allowed (UPGRADE=: only what is new)
	@$(VENV)/bin/uv --no-config pip compile --quiet $(UPGRADE) --universal --python-version 3.11 --generate-hashes \
	  --no-annotate --no-header --all-extras --group dev pyproject.toml --output-file $(REQUIREMENTS)
	@$(VENV)/bin/uv --no-config pip compile --quiet $(UPGRADE) --universal --python-version 3.11 --generate-hashes \
	  --no-annotate --no-header --resolution lowest-direct --all-extras --group test --group docs --group build \
	  pyproject.toml --output-file requirements/lowest.txt
	@$(VENV)/bin/uv --no-config pip compile --quiet $(UPGRADE) --universal --python-version 3.11 --generate-hashes \
	  --no-annotate --no-header benchmarks/requirements.in --output-file benchmarks/requirements.txt
	@for folder in interop/providers/*/; do [ ! -e "$$folder/requirements.in" ] || \
	  $(VENV)/bin/uv --no-config pip compile --quiet $(UPGRADE) --universal --python-version 3.11 --generate-hashes \
	  --no-annotate --no-header "$$folder/requirements.in" --output-file "$$folder/requirements.txt" || exit 1; done

docs: $(INSTALLED) ## write the pages that are made from the code
	@$(VENV)/bin/python -m tools.error_codes
	@$(VENV)/bin/python -m tools.configuration
	@$(VENV)/bin/python -m tools.threats
	@$(VENV)/bin/python -m tools.foundation
	@$(VENV)/bin/python -m tools.conformance

api: $(INSTALLED) ## write down the public API in tests/public_api.txt, after a change to it that is meant
	@$(VENV)/bin/python -m tools.public_api

site: $(INSTALLED) ## build the documentation's site into build/site; a warning, a dead link or an orphan page fails
	@$(VENV)/bin/sphinx-build -E -W -n --keep-going --quiet -d build/doctrees docs build/site
	@echo "The documentation: file://$(CURDIR)/build/site/index.html"

pictures: ## take the documentation's pictures anew, into docs/pictures
	@COBOT_OIDC_TEST_PICTURES=docs/pictures $(MAKE) --no-print-directory test REQUIRE_ALL=1 \
	  TESTS="tests/test_tutorial.py tests/example_app/test_picture.py -q"

translations: $(INSTALLED) ## compile the translations of what people read
	@$(VENV)/bin/pybabel --quiet compile --domain cobot_oidc --directory cobot_oidc/translations
	@$(VENV)/bin/pybabel --quiet compile --directory example_app/translations

fuzz: $(INSTALLED) ## fuzz what reads tokens, keys and documents (SECONDS=60 for each, TARGET=all)
	@$(VENV)/bin/python tools/install_packages.py requirements/fuzz.txt
	@$(VENV)/bin/python -m fuzz $(or $(TARGET),all) $(or $(SECONDS),60)

mutants: $(INSTALLED) ## spoil each check of the protocol and see that a test notices (about 20 minutes; MODULES=jws for one)
	@$(VENV)/bin/python -m tools.mutants $(MODULES) $(if $(JOBS),--jobs $(JOBS))

interop: PROGRAMS := chromium
interop: $(INSTALLED) ## log in at providers that others wrote, and write docs/interoperability.md (about 8 minutes; PROVIDERS="oidc-provider canaille" for some)
	@COBOT_OIDC_TEST_BROWSER="$$(tools/find-program chromium)" COBOT_OIDC_TEST_REQUIRE_ALL="$(REQUIRE_ALL)" \
	  $(VENV)/bin/python -m pytest interop -q -rN --no-header --tb=short --show-capture=no \
	  $(if $(PROVIDERS),--providers "$(PROVIDERS)",--page docs/interoperability.md)

define BENCHMARKS_ENVIRONMENT
	@tools/make-venv "$(PYTHON)" build/benchmarks
	@build/benchmarks/bin/python tools/install_packages.py benchmarks/requirements.txt
	@$(QUIET_PIP) build/benchmarks/bin/python -m pip install --no-deps --no-build-isolation --force-reinstall .
endef

bench: ## measure what everything costs beside other libraries, and write docs/performance.md (about 12 minutes; SCRIPTS=login for one)
	@tools/announce build/benchmarks benchmarks/requirements.txt redis-server
	$(BENCHMARKS_ENVIRONMENT)
	@rm -rf build/benchmarks/printed && mkdir build/benchmarks/printed
	@for script in $(or $(SCRIPTS),$(BENCHMARKS)); do \
	  PYTHONPATH=. REDIS_SERVER="$$(tools/find-program redis-server)" \
	  env -u PYTHONDONTWRITEBYTECODE build/benchmarks/bin/python -W ignore -m benchmarks.$$script \
	  > build/benchmarks/printed/$$script.md || exit 1; cat build/benchmarks/printed/$$script.md; echo; done
	@PYTHONPATH=. build/benchmarks/bin/python -m tools.performance_page build/benchmarks/printed

comparison: ## log in through us and other libraries at a provider that fails, and write docs/comparison.md (needs Node.js; about 5 minutes)
	@tools/announce build/benchmarks benchmarks/requirements.txt
	$(BENCHMARKS_ENVIRONMENT)
	@cp benchmarks/comparison/package.json benchmarks/comparison/package-lock.json build/benchmarks
	@npm ci --silent --no-audit --no-fund --ignore-scripts --prefix build/benchmarks
	@PYTHONPATH=. build/benchmarks/bin/python -W ignore -m benchmarks.comparison

package: $(INSTALLED) ## build the wheel and the sdist into dist/, the same bytes for everybody, and look at what is in them
	@$(VENV)/bin/python -m tools.package dist

release: $(INSTALLED) ## make a release, and stop before it is published (VERSION=0.2.0)
	@$(VENV)/bin/python -m tools.release $(VERSION)

clean: ## remove what the other commands made
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Before anything is installed, so that nobody wonders what takes so long or what changed on their machine.
announce:
	@tools/announce "$(VENV)" "$(REQUIREMENTS)" $(PROGRAMS)

$(INSTALLED): $(REQUIREMENTS) pyproject.toml | announce
	@tools/make-venv "$(PYTHON)" $(VENV)
	@$(VENV)/bin/python tools/install_packages.py $(REQUIREMENTS)
	@$(QUIET_PIP) $(VENV)/bin/python -m pip install --no-deps --no-build-isolation -e .
	@touch $@
