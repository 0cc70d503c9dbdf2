# The two commands of a newcomer are `make figures` and `make test`; the rest is for those who change the code.

SWIFT ?= swift
FIGURES ?= Plots

.PHONY: figures test build bench format lint dependencies smoke clean

## The appendix figures of the embedded photographs, of patches into Plots/ and of learned tokens into Plots/learned/
## (installs missing C libraries, builds).
figures: build
	.build/release/appendix-figures --output-dir $(FIGURES)
	.build/release/appendix-figures --tokens learned --output-dir $(FIGURES)/learned --figure-format png

## Every test.
test: dependencies
	$(SWIFT) test --disable-xctest

## Optimised programs in .build/release.
build: dependencies
	$(SWIFT) build -c release

## Side-by-side timings against the programs in Benchmarks/peers; see Benchmarks/README.md.
bench: build
	Benchmarks/run

format:
	$(SWIFT) format -i -r Package.swift Sources Tests Notebooks-data

lint:
	$(SWIFT) format lint --strict -r Package.swift Sources Tests Notebooks-data

## The main commands on the embedded photographs, in a few seconds.
smoke: build
	Scripts/smoke

## The C libraries and gnuplot, installed only where they are missing.
dependencies:
	@Scripts/install-dependencies

clean:
	rm -rf .build
