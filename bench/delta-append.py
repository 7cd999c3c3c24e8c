"""deltalake's side of bench/delta-append.ts: delta-append.py TABLE, then one Parquet file a line on standard
input, whose rows it appends. Answers each with the seconds, and with those that it takes to make the Arrow table of
the same rows as Python objects."""
import os
import sys
import time

devnull = os.open(os.devnull, os.O_WRONLY)
os.dup2(devnull, 2)

import pyarrow as pa
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
    objects = rows.to_pylist()
    start = time.perf_counter()
    pa.Table.from_pylist(objects, schema=rows.schema)
    print(seconds, time.perf_counter() - start, flush=True)
