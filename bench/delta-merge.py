"""Merges with deltalake: delta-merge.py TABLE ROWS-#.parquet REPEATS WORK; prints seconds, one a line."""
import sys
import time

import pyarrow.parquet as pq
from deltalake import DeltaTable

path, source, repeats, work = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
table = DeltaTable(path)
for repeat in range(repeats):
    rows = pq.read_table(source.replace("#", str(repeat)))
    start = time.perf_counter()
    table.update_incremental()
    merge = table.merge(rows, "s.media_id = t.media_id", source_alias="s", target_alias="t")
    if work != "absent":
        merge = merge.when_matched_update_all()
    merge.when_not_matched_insert_all().execute()
    print(time.perf_counter() - start)
