"""Side-by-side comparisons with other tools: `make bench`; rules in `docs/benchmarks.md`."""
