# Each target is a line over scripts/ and Meson; docs/BUILDING.md says more.
BUILD ?= build
T ?= 60

all:
	@scripts/setup build
	@scripts/meson-setup $(BUILD)
	@ninja -C $(BUILD) $(if $(wildcard src/apps/meson.build),sotto)

test:
	@scripts/setup test
	@scripts/meson-setup $(BUILD)
	@ninja -C $(BUILD)
	@scripts/run-tests $(BUILD)

asan:
	@scripts/setup test
	@scripts/meson-setup build-asan -Db_sanitize=address,undefined -Doptimization=1
	@ninja -C build-asan
	@scripts/run-tests --slow 5 build-asan

fuzz:
	@scripts/setup fuzz
	@scripts/run-fuzz $(T)

lint:
	@scripts/setup lint
	@scripts/lint

clean:
	rm -rf build build-*

.PHONY: all test asan fuzz lint clean
