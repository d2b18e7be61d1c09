# The course on this machine. The first run makes .venv, which needs a network once; nothing needs root.
#
#   make lab          work through the lessons: JupyterLab opens on the first one
#   make test         all that CI checks; WITHOUT=redis,postgres,browser,sandbox leaves parts out
#   make reset L=10   a fresh copy of lesson 10 in work/; your old one is kept beside it
#   make notebooks    build notebooks/ (what learners get) from solutions/
#   make bench        measure the course itself: start-up, requests, checks, size
#   make lock         renew requirements.lock after a change of pyproject.toml; NEW=1 moves every package up
#
# To choose the Python: make lab PYTHON=python3.12

PY = .venv/bin/python

help:
	@sed -n 's/^#   //p' Makefile

.PHONY: help lab test reset notebooks bench lock

lab: .venv/.ready
	@$(PY) -m labs.classroom lab

# Three workers on two cores: many tests wait for a server or a browser.
# One seed, and a state folder, IPython profile and Jupyter settings of its own: nothing of the person who runs it.
test: .venv/.ready
	@set -e; home=$$(mktemp -d); trap 'rm -rf "$$home"' EXIT; trap 'exit 1' INT TERM; \
	export FERNBANK_SEED=fernbank FERNBANK_HOME="$$home/fernbank" IPYTHONDIR="$$home/ipython"; \
	export JUPYTER_CONFIG_DIR="$$home/jupyter" JUPYTER_DATA_DIR="$$home/jupyter/data"; \
	export PATH="$(CURDIR)/.venv/bin:$$PATH"; \
	WITHOUT=$$($(PY) tests/left_out.py); export WITHOUT; \
	run() { echo "$$*" >&2; "$$@"; }; \
	run $(PY) -m ruff check .; \
	run .venv/bin/lint-imports; \
	run $(PY) -m labs.classroom build --check; \
	run $(PY) -m pytest tests -n 3 --dist worksteal; \
	run $(PY) -m pytest --nbval --nbval-sanitize-with tests/nbval_sanitize.cfg -n 2 --dist loadscope notebooks solutions

reset: .venv/.ready
	@test -n "$(L)" || { echo "Which lesson? For example: make reset L=10"; exit 2; }
	@$(PY) -m labs.classroom reset "$(L)"

notebooks: .venv/.ready
	@$(PY) -m labs.classroom build

bench: .venv/.ready
	@$(PY) tests/bench.py

lock: .venv/.ready
	@uv=$$(command -v uv || echo .venv/bin/uv); \
	"$$uv" pip compile --quiet $(if $(NEW),--upgrade) --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --custom-compile-command "make lock" pyproject.toml -o requirements.lock

# A virtual environment holds the path it was made in: a checkout that was moved is set up again.
ifneq "$(shell cat .venv/.ready 2>/dev/null)" "$(shell pwd -P)"
.PHONY: .venv/.ready
endif

.venv/.ready: requirements.lock pyproject.toml
	@PYTHON="$(PYTHON)" sh .ci/set-up
