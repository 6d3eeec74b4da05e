"""The same work for us and for others, in one run, as ratios. `python -m benchmarks` prints the tables."""
