# The two commands of a newcomer are `make figures` and `make test`; the rest is for those who change the code.

SWIFT ?= swift
FIGURES ?= Plots

MINUTES ?= 2

FORMATTED = Package.swift Sources Tests Notebooks-data Benchmarks/Package.swift Benchmarks/Sources

# Where `make install` puts things, and the folder that stands for the root while a package is made.
PREFIX ?= /usr/local
DESTDIR ?=

# The program alone, with all that can be inside.
ALONE = .build/alone/release/token-entropy

PYTHON ?= python3

.PHONY: figures test test-atlas test-python notebooks test-install wheel test-wheel fuzz build alone install uninstall benchmarks bench format lint docs dependencies smoke clean

## The appendix figures of the embedded photographs, of patches into Plots/ and of learned tokens into Plots/learned/
## (installs missing C libraries, builds), and Plots/atlas.html, a page with all their maps and some orders.
figures: build
	.build/release/appendix-figures --output-dir $(FIGURES)
	.build/release/appendix-figures --tokens learned --output-dir $(FIGURES)/learned --figure-format png
	.build/release/order-compare raster distant halton diagonal blocks random halton:steps=24 distant:n=16 \
		--csv --atlas $(FIGURES)/atlas.html > /dev/null

## Every test; the last line counts those that were skipped.
test: dependencies
	@SWIFT="$(SWIFT)" Scripts/test

## The Python module: its tests, the examples in it, and its types, in a virtual environment of its own under .build.
test-python: build
	PYTHON="$(PYTHON)" Scripts/test-python .build/release/token-entropy

## The pages of --atlas in a headless Chromium, which is installed where that may be; else skipped by name.
test-atlas: build
	Scripts/test-atlas .build/release/token-entropy

## The notebooks, executed, and their outputs compared with those that are kept in them.
notebooks: build
	PYTHON="$(PYTHON)" Scripts/notebooks .build/release/token-entropy

## What `make install` puts into an empty folder, from another folder and without this one; completions in the shells that are there.
test-install: build
	Scripts/test-install .build/release/token-entropy

## A wheel with the program, its data and libraries in it, in .build/wheels.
wheel: alone
	PYTHON="$(PYTHON)" Scripts/wheel $(ALONE)

## The wheel in a Debian root with Python alone, made by debootstrap; needs root.
test-wheel: wheel
	PYTHON="$(PYTHON)" Scripts/test-wheel .build/wheels/token_entropy-*.whl

## Damaged files for every reader, with an address sanitizer: `make fuzz MINUTES=30`. Faults are kept in fuzz-failures/.
## Swift and the C libraries keep some memory to the end on purpose, which is no leak; and a library that asks for more
## memory than there is must be told so, as it is without the sanitizer. Freed memory is kept back only so far that the
## limit of 2 GB still means something.
fuzz: dependencies
	$(SWIFT) build -c release --sanitize=address --product fuzz --scratch-path .build/fuzz
	ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1:quarantine_size_mb=64 \
		.build/fuzz/release/fuzz --minutes $(MINUTES)

## Optimised programs in .build/release.
build: dependencies
	$(SWIFT) build -c release

## One program with all commands, which needs no Swift to run, in .build/alone/release.
alone: dependencies
	@SWIFT="$(SWIFT)" Scripts/alone

## The program, a link for each command, data, manual pages and completions: `make install PREFIX=~/.local`.
install: alone
	@DESTDIR="$(DESTDIR)" Scripts/install $(ALONE) Notebooks-data "$(PREFIX)"

## Removes what `make install` has put there.
uninstall:
	@DESTDIR="$(DESTDIR)" Scripts/install $(ALONE) Notebooks-data "$(PREFIX)" --remove

## The package of the benchmarks, which no other target builds, without running it.
benchmarks: dependencies
	$(SWIFT) build --package-path Benchmarks

## Side-by-side timings against the programs in Benchmarks/peers; see Benchmarks/README.md.
bench: build
	Benchmarks/run

format:
	$(SWIFT) format -i -r $(FORMATTED)

lint:
	$(SWIFT) format lint --strict -r $(FORMATTED)

## The documentation of the libraries as a web site in .build/documentation, by DocC, which comes with Swift.
docs: dependencies
	SWIFT="$(SWIFT)" Scripts/documentation

## The main commands on the embedded photographs, in a few seconds.
smoke: build
	Scripts/smoke

## The C libraries and gnuplot, installed only where they are missing.
dependencies:
	@Scripts/install-dependencies

clean:
	rm -rf .build
