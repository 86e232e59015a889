"""One module a benchmark; each prints one JSON object per figure (docs/benchmarks.md)."""
