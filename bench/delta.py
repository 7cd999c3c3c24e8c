"""deltalake's side of bench/delta.ts: delta.py TABLE, then one job a line on standard input, `WORK SOURCE`.
Answers each with the seconds, and with the peak of its resident memory in MiB."""
import os
import resource
import sys
import time

devnull = os.open(os.devnull, os.O_WRONLY)
os.dup2(devnull, 2)

import pyarrow.parquet as pq
from deltalake import DeltaTable

table = DeltaTable(sys.argv[1])
for line in sys.stdin:
    work, source = line.split()
    rows = pq.read_table(source)
    start = time.perf_counter()
    table.update_incremental()
    merge = table.merge(rows, "s.media_id = t.media_id", source_alias="s", target_alias="t")
    if work != "absent":
        merge = merge.when_matched_update_all()
    merge.when_not_matched_insert_all().execute()
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(seconds, peak, flush=True)
