"""The bench: the same work by détente and by its peers, in turn, in one run; docs/benchmarks.md is what it wrote."""
