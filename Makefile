# Two commands: `make run` serves at http://localhost:8080, `make test` runs every test.
# Both set up what is missing on a fresh Debian 12 machine.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# There only when scripts/setup.sh found no Go that can fetch the toolchain named in go.mod.
export PATH := $(CURDIR)/.cache/go/bin:$(PATH)
export LIVEPROOF_ONNXRUNTIME ?= $(CURDIR)/.cache/onnxruntime/libonnxruntime.so
# Recordings of people, weights and portraits that are not in the repository; empty: what needs them is skipped.
export LIVEPROOF_SHARED ?= $(abspath $(wildcard ../shared))

VERSION := $(shell cat VERSION)
REVISION := $(shell git describe --always --abbrev=40 --match= --dirty=+dirty 2>/dev/null)
WEB_SOURCES := $(shell find webclient -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/lib/*' -not -path '*/test-results/*' 2>/dev/null)
GO_SOURCES := $(shell git ls-files -co --exclude-standard '*.go' '*.c' '*.h' go.mod go.sum VERSION 'configs/*' 'ingest/*.yaml' 'console/page/*' 2>/dev/null)

# In a module of its own: its dependencies are not the service's.
GOLANGCI_LINT := go tool -modfile=tools/golangci/go.mod golangci-lint
RUFF := .venv/bin/ruff
PRETTIER := webclient/node_modules/.bin/prettier --config webclient/.prettierrc.json
CLIENT_SCRIPTS := "examples/**/*.mjs" "clients/*.{js,mjs,json}" "clients/browser/**/*.{js,mjs}" "!clients/package-lock.json"

.PHONY: help run test setup build web lint lint-go lint-training lint-web format test-go test-thorough test-web test-training test-browser test-clients test-clients-quick test-integrations test-integrations-web test-integrations-api test-webhooks test-tracing test-livekit test-schema call-on-screen package identity
.PHONY: test-scale test-charts test-kserve test-chaos scale bench-redis
.PHONY: encoders soak bench bench-sessions bench-verdict bench-owners bench-plot bench-peer fuzz clean injection variants

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-21s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## set up, build and serve the demo at http://localhost:8080 (ARGS="--redis redis://…")
	@scripts/setup.sh run
	@$(MAKE) --no-print-directory build
	bin/liveproof serve $(ARGS)

test: ## set up, then lint and all tests: Go (-race), web, trainer, browser, clients
	@scripts/setup.sh test
	@scripts/test.sh

setup: ## set up what building and testing need
	@scripts/setup.sh test

build: bin/liveproof ## build bin/liveproof (needs `make setup` once)

web: webclient/dist/index.html ## build the web client

webclient/dist/index.html: $(WEB_SOURCES)
	cd webclient && npm run --silent build
	@touch $@

bin/liveproof: webclient/dist/index.html $(GO_SOURCES)
	go build -trimpath -ldflags "-X main.version=$(VERSION) -X main.revision=$(REVISION)" -o $@ ./cmd/liveproof

lint: lint-go lint-training lint-web ## every linter: Go, Python, TypeScript

lint-go: ## golangci-lint, which runs gofmt and go vet too
	$(GOLANGCI_LINT) run

lint-training: $(RUFF) ## ruff
	$(RUFF) check training
	$(RUFF) format --check training
	$(RUFF) check --config training/pyproject.toml examples scripts clients
	$(RUFF) format --check --config training/pyproject.toml examples scripts clients

lint-web: ## eslint, prettier
	cd webclient && npm run --silent lint
	webclient/node_modules/.bin/eslint --max-warnings 0 --config clients/eslint.config.js clients examples
	$(PRETTIER) --check --log-level warn $(CLIENT_SCRIPTS)

$(RUFF):
	@echo 'no $@: run `make setup`' >&2; exit 1

format: $(RUFF) ## gofmt, ruff format, prettier
	$(GOLANGCI_LINT) fmt
	$(RUFF) format training
	$(RUFF) format --config training/pyproject.toml examples scripts clients
	cd webclient && npm run --silent format
	$(PRETTIER) --write --log-level warn $(CLIENT_SCRIPTS)

test-go: ## Go tests with the race detector, three packages at a time as many wait for films; up to two that fail there run once more, alone
	@mkdir -p .cache
	@rm -f .cache/tests-run-twice.txt
	go tool gotestsum --format pkgname-and-test-fails --packages ./... --rerun-fails=1 --rerun-fails-max-failures=2 --rerun-fails-run-root-test \
		--rerun-fails-abort-on-data-race --rerun-fails-report .cache/tests-run-twice.txt --jsonfile-timing-events .cache/go-tests.json -- -race -vet=off -p 3 -parallel 3 -timeout 20m
	@if [ -s .cache/tests-run-twice.txt ]; then echo 'failed beside others, passed alone:'; cat .cache/tests-run-twice.txt; fi

test-thorough: ## every encoder, dimming, network and swap of the tests with long tables; test-go tries a few of each (LIVEPROOF_SHARED)
	TEST_THOROUGH=1 go test ./cmd/liveproof ./detector -run 'BadNetworks|Lossy|Frozen|Flat|Relaxed|FollowingAgrees' -count 1 -timeout 30m -v

variants: build ## every kind of hostile presentation, and people, as files and over WebRTC: docs/variants.md (LIVEPROOF_SHARED, OUT=tmp/variants; an hour)
	scripts/variants.sh

identity: ## people spliced into each other and one person in changing light, through encoders and pipeline, in full: rows into $IDENTITY_OUT (LIVEPROOF_SHARED; IDENTITY_PART=1/3 runs a third)
	TEST_THOROUGH=1 go test ./cmd/liveproof -run 'AnotherPersonRestarts|OnePersonKeepsEvidence' -count 1 -timeout 4h -v

test-web: ## TypeScript: types, unit tests, and the npm package as others use it
	cd webclient && npm run --silent typecheck && npm test --silent && npm run --silent test:package

test-integrations: test-integrations-api test-integrations-web ## both of the next two

test-integrations-web: build ## the npm package in new React, Vue, Svelte, Angular and Vite projects, each in Chromium; downloads them (about 5 minutes)
	scripts/integrations.sh

call-on-screen: build ## a call of ten minutes with a swap in it, as <liveness-status> shows it to the agent in Chromium; encodes it first, 15 minutes in all (LIVEPROOF_SHARED)
	scripts/call-on-screen.sh

package: ## the npm package of the web component, webclient/*.tgz
	cd webclient && npm pack

test-training: ## the trainer's tests, two at a time
	cd training && OMP_NUM_THREADS=1 ../.venv/bin/python -m pytest -q -rs -n 2 --dist worksteal

test-browser: build ## end to end in headless Chromium
	cd webclient && npm run --silent e2e

test-clients: ## clients of other projects (aiortc, FFmpeg, GStreamer, browsers …) against the real server, under 15 minutes; writes docs/clients.md
	@scripts/setup.sh clients
	@$(MAKE) --no-print-directory build
	clients/run.py --write

test-clients-quick: build ## the clients of test-clients that are installed in seconds; part of `make test`
	clients/run.py --quick

test-integrations-api: build ## tools of other projects on the API: Redocly lints it, clients made for Go, TypeScript and Python call a real server, joserfc and Node verify results
	tools/integrations/run.sh

test-webhooks: ## webhooks of real servers whose receiver is down for a minute, at the default configuration's pauses (LIVEPROOF_SHARED; about 4 minutes)
	TEST_OUTAGE=1m go test ./cmd/liveproof -run TestReceiverIsDown -count 1 -timeout 15m -v

test-scale: export TEST_CHAOS ?= 10000
test-scale: test-charts test-kserve test-livekit test-chaos ## what concerns more than one machine and takes too long for `make test`

test-charts: build ## the Helm chart: lint, every combination of values decoded strictly, a real server with what a pod gets; compiles Helm (minutes, the first time)
	cd tools/helm && LIVEPROOF_BIN=$(CURDIR)/bin/liveproof go test -count 1 -timeout 15m .

test-kserve: build ## the remote scorer on MLServer, an inference server of another project: installs it into .cache/kserve (about 3 minutes; LIVEPROOF_SHARED)
	scripts/kserve.sh

test-tracing: ## a session's spans through the OpenTelemetry collector's own receiver, which it builds first (LIVEPROOF_SHARED)
	go build -C tools/collector -o $(CURDIR)/.cache/otelcol .
	OTLP_COLLECTOR=$(CURDIR)/.cache/otelcol go test ./cmd/liveproof -run 'TestTraceOfASession|TestForeignTraceparents' -count 1 -v

test-livekit: ## rooms of a real livekit-server, which it builds first (LIVEPROOF_SHARED; about 3 minutes)
	. scripts/versions.sh; test -x .cache/livekit/server || GOBIN=$(CURDIR)/.cache/livekit go install github.com/livekit/livekit-server/cmd/server@v$$LIVEKIT_SERVER_VERSION
	LIVEKIT_SERVER=$(CURDIR)/.cache/livekit/server go test ./cmd/liveproof -run TestLiveKit -count 1 -timeout 15m -v

test-chaos: ## 500 sessions, or thousands, while nodes are killed, Redis fails over and scores fail; the ledger is in .cache/chaos.json (TEST_CHAOS=10000; LIVEPROOF_SHARED)
	@mkdir -p .cache
	TEST_CHAOS=$${TEST_CHAOS:-500} TEST_CHAOS_LEDGER=$(CURDIR)/.cache/chaos.json go test -trimpath -vet=off ./cmd/liveproof -run '^TestChaos$$' -count 1 -v -timeout 4h

test-schema: build ## requests that Schemathesis derives from the API's description, sent to a real server for a minute
	tools/integrations/run.sh setup
	tools/integrations/schema.sh

bench: build ## the figures of docs/performance.md without bench-peer, about 8 minutes: stages, sessions, verdict, owners
	@scripts/bench.sh

bench-sessions: build ## how many sessions this machine can run: samples, latency, CPU, memory (SESSIONS="10 20", MODEL=…)
	@scripts/bench.sh sessions

bench-verdict: build ## time to a verdict while calls run (CALLS=40)
	@scripts/bench.sh verdict

bench-owners: build ## which code the CPU time is spent in (CALLS=40)
	@scripts/bench.sh owners

bench-plot: ## a plot of all sessions measured so far (PLOT=file.png)
	@scripts/bench.sh plot

bench-peer: build ## this server compared with another one, about 12 minutes (LIVEPROOF_SHARED)
	@scripts/bench.sh peer

bench-redis: build ## what a session costs Redis: commands, bytes, memory, CPU (LIVEPROOF_SHARED)
	.venv/bin/python scripts/redis_units.py

scale: ## the tables and the picture of docs/scale.md, computed from the measured costs
	.venv/bin/python scripts/scale.py --write docs/scale.md --plot docs/img/scale.png

soak: build ## sessions come and go for 10 minutes with Redis: memory, goroutines, no verdict lost (LIVEPROOF_SHARED, SOAK="--minutes 2")
	.venv/bin/python scripts/soak.py $(SOAK)

injection: build ## signs of injection on honest and injected sessions, about an hour: docs/injection/ (LIVEPROOF_SHARED, INJECTION="--clients")
	.venv/bin/python scripts/injection.py $(INJECTION)

encoders: build ## the verdict on the same clips through many encoders: docs/encoders.md (LIVEPROOF_SHARED, ENCODERS="--clips all")
	.venv/bin/python scripts/encoders.py $(ENCODERS)

fuzz: ## 20 s of every fuzz target (FUZZTIME=5m for longer)
	@scripts/fuzz.sh

clean: ## remove what was built
	rm -rf bin webclient/dist/* webclient/lib webclient/test-results
