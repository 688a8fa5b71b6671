"""How fast it is, measured on the real thing with every guard on; docs/benchmarks.md says how to read the numbers.

workload.py makes the payments, site.py the servers, crew.py the processes; payments.py, latency.py and breakdown.py
are the three benchmarks, pgbench.py is the yardstick, proof.py looks afterwards whether all of it was done.
"""
