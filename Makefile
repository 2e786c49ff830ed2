# The front door. `make help` lists the doors; Meson does the work (meson.build).
#
#   PREFIX=/usr/local   where `make install` puts things      DESTDIR=   a root in front of it, for packagers
#   BUILD=build         the build directory                   CARRACK_NO_SETUP=1   do not install packages
#   T="unit protocol"   `make test` runs these suites only    (scripts/test --list)

# Debian's Meson is written for Debian's Python, whatever else is in PATH.
export PATH := /usr/bin:$(PATH)

PREFIX ?= /usr/local
DESTDIR ?=
BUILD ?= build
T ?=
CELLS ?= 100000

.PHONY: build help demo test test-lab pictures proof soak bench lint install uninstall clean setup
.DEFAULT_GOAL := build

build:            ## build carrack and carrack-session in build/ (installs what is missing for that)
	@scripts/setup --only build,run
	@test -f $(BUILD)/build.ninja || meson setup $(BUILD) --prefix "$(abspath $(PREFIX))"
	@ninja -C $(BUILD)

demo:             ## run examples/tour.ipynb and make a page of it, in demo-out/
	@scripts/setup --only build,run,demo
	@$(MAKE) --no-print-directory build
	@scripts/demo --build $(BUILD)

test:             ## build, run all the test-suites and sum them up
	@scripts/setup --only build,run,demo,test,lint
	@$(MAKE) --no-print-directory build
	@scripts/test --build $(BUILD) $(T)

test-lab:         ## the same in JupyterLab 4 and with papermill and jupytext, which come from PyPI into venv/
	@scripts/setup --only build,run,test,lab
	@$(MAKE) --no-print-directory build
	@scripts/test --build $(BUILD) lab

pictures:         ## make the README's pictures anew: what the tests in JupyterLab see
	@CARRACK_SCREENSHOTS=$(CURDIR)/docs/pictures $(MAKE) --no-print-directory test-lab

proof:            ## the long runs: faults at every frame, the soak … (scripts/proof --list; T="soak" for one)
	@scripts/setup --only build,run,test
	@$(MAKE) --no-print-directory build
	@scripts/proof --build $(BUILD) $(T)

soak:             ## 100,000 mixed cells, and what has grown (CELLS=… for more or less)
	@scripts/setup --only build,run,test
	@$(MAKE) --no-print-directory build
	@tests/soak/soak.py --build $(BUILD) --cells $(CELLS)

bench:            ## measure Carrack beside IRkernel and the floors (bench/README.md)
	@scripts/setup --only build,run,bench
	@$(MAKE) --no-print-directory build
	@bad=0; for b in bench.py "complete.py --irkernel --markdown" "display.py --markdown"; do \
		bench/$$b --build $(BUILD) || bad=1; done; exit $$bad

lint:             ## layers, clang-format, clang-tidy, clang
	@scripts/setup --only build,run,lint
	@$(MAKE) --no-print-directory build
	@scripts/check-layers --build $(BUILD)
	@scripts/lint

install: build    ## install to PREFIX; then `PREFIX/bin/carrack install` tells Jupyter
	@meson configure $(BUILD) --prefix "$(abspath $(PREFIX))"
	@ninja -C $(BUILD)
	DESTDIR="$(DESTDIR)" meson install -C $(BUILD) --no-rebuild
	@echo "Installed. To tell Jupyter: $(abspath $(PREFIX))/bin/carrack install --user   (or --prefix DIR, --sys-prefix)"

uninstall:        ## remove what `make install` put there (not the kernelspec: carrack uninstall)
	@ninja -C $(BUILD) uninstall

setup:            ## install everything that any of these needs
	@scripts/setup

clean:            ## remove all that was built
	rm -rf $(BUILD) build-* demo-out venv

help:             ## this list
	@awk -F ':[^#]*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile
	@sed -n 's/^#   /    /p' Makefile
