"""deltalake's side of bench/delta-append.ts: delta-append.py TABLE, then one Parquet file a line on standard
input, whose rows it appends. Answers each with the seconds, and with the peak of its resident memory in MiB."""
import os
import resource
import sys
import time

devnull = os.open(os.devnull, os.O_WRONLY)
os.dup2(devnull, 2)

import pyarrow.parquet as pq
from deltalake import DeltaTable, write_deltalake

table = None
for line in sys.stdin:
    rows = pq.read_table(line.strip())
    start = time.perf_counter()
    write_deltalake(table if table is not None else sys.argv[1], rows, mode="append")
    seconds = time.perf_counter() - start
    # The table object is kept, as a writer would that appends all day.
    if table is None:
        table = DeltaTable(sys.argv[1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(seconds, peak, flush=True)
