# make app    install what is missing, start the app, open it in the browser
# make test   install what is missing (a browser too), run every test; ARGS="tests/core -k parse" narrows it,
#             JOBS=0 runs it in one process (for a debugger)
# make check  lint, formatting, types
# make bench  print the benchmark tables; ARGS="projection" runs only the named ones
# make cluster       PostgreSQL, nginx, two page servers and a Ray cluster on this machine (docs/deploy.md)
# make cluster-test  walks through it with four browsers and kills parts
# make setup  only install
#
# PYTHON=python3.12     which Python makes .venv
# TORCH_INDEX=https://… which PyTorch build is installed (see README)
# PORT=8501  ADDRESS=0.0.0.0  where the app listens; by default only this computer can open it
# HEADLESS=true           do not open a browser window
# WATCH=auto              reload when the code changes

VENV ?= .venv
PORT ?= 8501
ADDRESS ?= localhost
# No browser window where there is no screen to open it on.
HEADLESS ?= $(if $(CI)$(SSH_CONNECTION),true,$(if $(filter Linux,$(shell uname -s)),$(if $(DISPLAY)$(WAYLAND_DISPLAY),false,true),false))
WATCH ?= none
ARGS ?=
JOBS ?= 2
BIN = $(VENV)/bin/python

export VENV PYTHON TORCH_INDEX

.PHONY: app test check format bench cluster cluster-test setup browser clean

app:
	@sh scripts/setup.sh app
	@$(BIN) -m streamlit run server.py --server.address $(ADDRESS) --server.port $(PORT) --server.headless $(HEADLESS) \
		--browser.serverAddress $(if $(filter 0.0.0.0 ::,$(ADDRESS)),localhost,$(ADDRESS)) \
		--server.fileWatcherType $(WATCH)

setup:
	@sh scripts/setup.sh dev

browser: setup
	@$(BIN) scripts/browser.py --install >/dev/null

test: browser
	@OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(BIN) -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: setup
	@status=0; \
	$(BIN) -m ruff check . || status=1; \
	$(BIN) -m ruff format --check . || status=1; \
	$(BIN) -m mypy || status=1; \
	exit $$status

format: setup
	@$(BIN) -m ruff check --fix .
	@$(BIN) -m ruff format .

cluster: setup
	@$(BIN) scripts/cluster.py

cluster-test: browser
	@$(BIN) scripts/cluster_journey.py

bench: setup
	@$(BIN) -m benchmarks $(ARGS)

clean:
	rm -rf .artifacts .pytest_cache .mypy_cache .ruff_cache .hypothesis
