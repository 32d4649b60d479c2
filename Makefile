# Everything one does with this tree; meson does the work. `make` lists the targets.

BUILD ?= build
.DEFAULT_GOAL := help
.PHONY: help install build web image run dev test test-deploy check bench bench-demo coverage migrate db-test clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

install: ## install the Debian packages that are missing
	@tools/install.sh all

build: ## build ./build/cauldron (installs what the build needs)
	@tools/install.sh build
	@[ -f $(BUILD)/build.ninja ] || meson setup $(BUILD)
	@ninja -C $(BUILD) cauldron

web: ## build the web app, ./frontend/dist (installs what that needs)
	@tools/install.sh web
	@tools/web.sh build

image: ## build the container image (podman, buildah or docker: deploy/docker/build.sh --help)
	@deploy/docker/build.sh

run: build ## serve the web app and the API at http://localhost:8000 (more options: make run ARGS="--port 9000")
	@$(MAKE) --no-print-directory web || echo "the web app was not built; the API and its reference are served alone" >&2
	@exec ./$(BUILD)/cauldron serve $(ARGS)

dev: build ## the same at http://localhost:5173: pages reload hot, the server is built again and restarted when a source changes
	@tools/install.sh web
	@tools/web.sh install
	@exec python3 tools/dev.py $(BUILD) $(ARGS)

test: ## every test, also under sanitizers, and the fuzzers for some seconds each
	@tools/install.sh test
	@tools/test.sh

test-deploy: build ## what is deployed: images (built and run by podman), compose files, chart, rules, dashboards, backups
	@tools/install.sh deploy
	@tools/test_servers.sh
	@tools/scan_tools.sh
	@ninja -C $(BUILD)
	@python3 tests/servers.py -- meson test -C $(BUILD) --no-rebuild --print-errorlogs --suite deploy

check: ## every linter and both compilers (one of them: make check ONLY=format)
	@tools/install.sh all
	@tools/scan_tools.sh
	@tools/lint/all.sh $(ONLY)

bench: build ## measure the engine; with MODEL=folder SIZE=pixels beside diffusers, if tools/bench/install.sh has run
ifdef MODEL
	tools/bench/side_by_side.sh ./$(BUILD)/cauldron "$(MODEL)" $(or $(SIZE),512)
else
	./$(BUILD)/cauldron bench --ops
endif

bench-demo: build ## judge how well the demo models follow prompts
	@tools/install.sh bench
	/usr/bin/python3 tools/demo/bench.py --cauldron ./$(BUILD)/cauldron --model models/demo
	/usr/bin/python3 tools/demo/bench.py --cauldron ./$(BUILD)/cauldron --model models/demo-xl

coverage: ## line coverage of src/ by the tests (at least 85 %)
	@tools/install.sh test
	@tools/coverage.sh

migrate: build ## bring the database (DATABASE_URL, else data/cauldron.db) to the newest schema
	@./$(BUILD)/cauldron migrate

db-test: build ## check the database: connection, schema, a write and a read back, latency
	@./$(BUILD)/cauldron db-test

clean: ## remove everything that was built
	rm -rf build build-* frontend/dist frontend/coverage
