# What CI runs is `make test`. E2E=0 leaves the tests out that need an engine.
VERSION ?= dev
BUILD   := CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)'
E2E     ?= 1

.PHONY: build release release-push release-notes release-check image demo-image platform-image setup lint docs unit house agreement releases e2e pages screenshots test bench cycles handover streams visitors stacks soak fuzz demo demo-paas demo-down

build:
	$(BUILD) -o dist/paastis .

# All that is published of a version, into dist/VERSION; tools/release/main.go says what.
release:
	go -C tools/release run . -version '$(VERSION)'

# Sends the image of a release that was made to IMAGE, such as ghcr.io/paastis/paastis: the
# same bytes. Log in with docker login before.
release-push:
	go -C tools/release run . -version '$(VERSION)' -push '$(IMAGE)'

# What CHANGELOG.md says of VERSION.
release-notes:
	@go -C tools/release run . -version '$(VERSION)' -notes

# Two clones of the commit have to give the same bytes, and the binaries have to run.
release-check:
	scripts/release-check $(if $(filter dev,$(VERSION)),v0.0.0-check,$(VERSION))

image: build
	scripts/build paastis/paastis .

demo-image:
	$(BUILD) -o demo/shop/shop ./demo/shop
	scripts/build paastis/demo-shop demo/shop

platform-image:
	$(BUILD) -o demo/paas/platform/platform ./demo/paas/platform
	scripts/build paastis/demo-platform demo/paas/platform

# An engine, Compose, Traefik and our images.
setup:
	scripts/engine
	scripts/compose
	scripts/traefik
	$(MAKE) --no-print-directory image demo-image platform-image

lint:
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "not gofmt-ed: $$unformatted"; exit 1; }
	go vet ./...
	go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
	go -C tools/links run . '$(CURDIR)'

unit:
	go test -race $$(go list ./... | grep -v /e2e)
	go test -run '500|FiveHundred' ./providers/scalingo ./providers/heroku
	go -C tools/house test ./...
	go -C tools/links test ./...

# How the code is built: large types, who writes whose fields, which package imports which.
# BASE=folder of another checkout: beside its figures.
house:
	@go -C tools/house run . $(if $(BASE),-base '$(abspath $(BASE))') '$(CURDIR)'

# Writes docs/settings.md anew, from the settings' own descriptions.
docs:
	WRITE_DOCS=1 go test -count=1 -run TestTheSettingsDocument ./config

# Our rule matching against Traefik's own code.
agreement:
	go -C tools/traefik/agreement test ./...
	go -C tools/traefik/newer test ./...

# What makes releases, and the workflows of CI.
releases:
	go -C tools/release test -race ./...

e2e: setup
	scripts/chromium
	scripts/axe
	go test -race -count=1 -timeout 45m -p 1 ./e2e/...

# What people see, in a real browser, without an engine.
pages:
	scripts/chromium
	scripts/axe
	go test -race -count=1 -timeout 15m ./e2e/pages

# The pictures of the README and docs/, made by the browser tests.
PICTURES := plain-linked-light-desktop plain-logs-dark-phone terminal-needs-dark-desktop \
            branded-usual-light-desktop dashboard-app-desktop-light dashboard-app-desktop-dark \
            dashboard-apps-phone-dark

screenshots:
	scripts/chromium
	scripts/axe
	SCREENSHOTS=$(CURDIR)/.cache/screenshots go test -count=1 -run 'InEveryLook|EveryTheme' ./e2e/pages
	mkdir -p docs/screenshots
	cp $(PICTURES:%=.cache/screenshots/%.png) docs/screenshots/

ifeq ($(E2E),0)
test: lint unit agreement releases
else
test: lint unit agreement releases e2e
endif

# What Paastis costs, into bench/results.json; PARTS='auth scale' for some of it.
bench: setup
	go run ./bench $(PARTS)

# The long runs. RECORD=1 writes what they showed into bench/.
cycles: setup
	CYCLES=$(or $(CYCLES),1000) go test -count=1 -timeout 3h -v -run TestCycles ./e2e

handover: setup
	SAMPLES=$(or $(SAMPLES),50) go test -count=1 -timeout 1h -v -run TestAHealthyApp ./e2e

streams: setup
	LONG=1 go test -count=1 -timeout 30m -v -run TestWhatIsInUse ./e2e

visitors: setup
	LOAD=$(or $(LOAD),60s) go test -count=1 -timeout 1h -v -run 'TestNoVisitor|TestWithoutAState' ./e2e/strangers

# Each published stack in both modes.
stacks: setup
	LONG=1 go test -count=1 -timeout 1h -v -run TestStacksThat ./e2e

soak: setup
	MINUTES=$(or $(MINUTES),20) go test -count=1 -timeout 3h -v -run TestSoak ./e2e

# Random lives of random stacks: LIVES of each kind, from SEED on.
lives:
	LIVES=$(or $(LIVES),10000) SEED=$(or $(SEED),0) go test -race -count=1 -timeout 6h -run TestRandomStacks ./registry

# What is random in the tests, with more than their few seeds: LIVES of them, from SEED on.
fuzz:
	go test -run '^$$' -fuzz FuzzParseFile -fuzztime 60s ./rules
	LIVES=$(or $(LIVES),1000) SEED=$(or $(SEED),0) go test -race -count=1 -timeout 6h -run 'TestRandomStacks|TestNoInterleaving|TestNoDirectRequest|TestPartsOfAgents' ./registry ./server
	go test -run '^$$' -fuzz FuzzResolve -fuzztime 60s ./rules
	go test -run '^$$' -fuzz FuzzParseRule -fuzztime 60s ./traefik/rule

demo: setup
	docker compose up -d
	go run ./demo/walk

# The second one: review apps on a PaaS, which is played.
demo-paas: setup
	docker compose -f demo/paas/docker-compose.yml up -d
	go run ./demo/paas/walk

demo-down:
	docker compose down -t 2
	docker compose -f demo/paas/docker-compose.yml down -t 2 -v
