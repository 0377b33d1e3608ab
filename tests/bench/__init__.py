"""Benchmarks: what `docs/performance.md` states, measured again by `make bench`.

One module for each measurement: its `measure(folder, short=...)` works in an empty folder and gives figures, on small
input where `short`. To add one, write the module and name it in `tests/bench/measurements.py`.
"""
