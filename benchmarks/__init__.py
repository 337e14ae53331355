"""`just bench`: this project's engines against what people use today, in one run on one machine.

peers/     one file each: how a peer does each workload, or that it can't
cases.py   the workloads; `measure.py` times them in interleaved rounds, `spread.py` says what many timings come to
targets.py what was promised; `compare.py` this checkout against another revision; `breakdown.py` where a call's time goes
reports/   a table, a plot and the page docs/benchmarks.md, all made of one record (`results.py`), which is also the JSON
"""
