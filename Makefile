# make demo [EXIT=1] [DATA=folder]   the whole loop on an example, or on a real data set
# make test                          lint, types and the suite on both lines of Neo4j
# make faults                        everything on both lines
# make lock                          pin packages again after a change of pyproject.toml

SHELL := bash
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3.11 python3.12 python3 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
LTS := 5.26.30
# Two processes, each with servers of its own; a file's tests stay together, the long ones first.
# A thread each: two processes of two threads that wait for one another took up to 30 times as long.
# A server of the suite lives for minutes: what the JVM would optimise best, it never comes to use.
PYTEST := OMP_NUM_THREADS=1 JDK_JAVA_OPTIONS=-XX:TieredStopAtLevel=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder \
	--durations 25 --durations-min 5

.PHONY: install demo test faults lock

install: $(VENV)/.installed

$(VENV)/.installed: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or 3.12 is needed and was not found" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

demo: install
	$(BIN)/pathlight demo $(if $(DATA),--data $(DATA)) $(if $(EXIT),--exit)

test: install
	$(PYTEST)
	$(PYTEST) --neo4j $(LTS) tests/api/answers/test_recommender.py tests/api/loop/test_publication.py tests/graphdb

faults: install
	$(PYTEST)
	$(PYTEST) --neo4j $(LTS)

lock: install
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --quiet --output-file requirements.lock
