"""Benchmarks that anyone can run: `python -m benchmarks` prints figures with the machine, the versions and the date."""
