"""deltalake's side of bench/delta-log.ts: one job a line on standard input, `open TABLE`, `hold TABLE` or `refresh`.
Answers each with the seconds and the version."""
import sys
import time

from deltalake import DeltaTable

held = None
for line in sys.stdin:
    work, _, path = line.strip().partition(" ")
    start = time.perf_counter()
    if work == "refresh":
        held.update_incremental()
        table = held
    else:
        table = DeltaTable(path)
    seconds = time.perf_counter() - start
    if work == "hold":
        held = table
    print(seconds, table.version(), flush=True)
