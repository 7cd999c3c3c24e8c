"""Writes with deltalake: write_tables.py DIRECTORY TABLE_OF_OURS

Makes DIRECTORY/foreign as a new table, and appends one row to a table of ours.
"""
import datetime
import sys

import pyarrow as pa
from deltalake import write_deltalake

at = datetime.datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=datetime.timezone.utc)
for start in (0, 3):
    rows = pa.table(
        {
            "id": [f"k{i}" for i in range(start, start + 3)],
            "n": pa.array(range(start, start + 3), pa.int64()),
            "at": pa.array([at] * 3, pa.timestamp("us", tz="UTC")),
            "day": pa.array([datetime.date(2024, 5, 6), None, datetime.date(1969, 1, 1)], pa.date32()),
        }
    )
    write_deltalake(sys.argv[1] + "/foreign", rows, mode="append", partition_by=["day"])
write_deltalake(
    sys.argv[2],
    pa.table({"id": pa.array(["from deltalake"]), "n": pa.array([7], pa.int64())}),
    mode="append",
    schema_mode="merge",
)
