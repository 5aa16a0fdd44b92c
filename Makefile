# Each target is a line over scripts/ and Meson; docs/BUILDING.md says more.
BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
# seconds for each fuzz target
T ?= 60

all:
	@scripts/setup build
	@scripts/meson-setup $(BUILD) --prefix=$(PREFIX)
	@ninja -C $(BUILD) sotto

run: all
	@exec $(BUILD)/sotto serve --guide --single-process

# one private, one streamed and one sealed request, with what the provider saw
demo: all
	@scripts/demo $(BUILD)/sotto

test:
	@scripts/setup test
	@scripts/meson-setup $(BUILD) --prefix=$(PREFIX)
	@ninja -C $(BUILD)
	@scripts/run-tests $(BUILD)

asan:
	@scripts/setup test
	@scripts/meson-setup build-asan -Db_sanitize=address,undefined -Doptimization=1
	@ninja -C build-asan
	@scripts/run-tests --slow 5 build-asan

# hours: crash tests by the thousand and what else is too long for every run
soak:
	@scripts/setup test
	@scripts/meson-setup $(BUILD) --prefix=$(PREFIX)
	@ninja -C $(BUILD)
	@scripts/run-soak $(BUILD)

fuzz:
	@scripts/setup fuzz
	@scripts/run-fuzz $(T)

lint:
	@scripts/setup lint
	@scripts/lint

format:
	@scripts/setup lint
	@git ls-files '*.c' '*.h' | xargs -r clang-format-14 -i

# e.g. make bench BENCH="--only requests --rounds 9"
bench: all
	@scripts/setup bench
	@ninja -C $(BUILD) library bench/provider bench/load bench/bench_native bench/bench_seal
	@python3 bench/gateway.py --build $(BUILD) $(BENCH)
	@printf '\n## Sealing, profile native\n\n' && $(BUILD)/bench/bench_native
	@printf '\n## Sealing, profile privatemode\n\n' && $(BUILD)/bench/bench_seal

install: all
	@ninja -C $(BUILD) completions library
	@DESTDIR=$(DESTDIR) meson install -C $(BUILD) --no-rebuild --strip --quiet

clean:
	rm -rf build build-*

.PHONY: all run demo test asan soak fuzz lint format bench install clean
