# Each target is one line over scripts/ and Meson; docs/BUILDING.md says more.
BUILD ?= build
SETUP := scripts/setup

all: setup
	@scripts/meson-setup $(BUILD)
	@ninja -C $(BUILD)

setup:
	@$(SETUP) build

clean:
	rm -rf build build-*

.PHONY: all setup clean
