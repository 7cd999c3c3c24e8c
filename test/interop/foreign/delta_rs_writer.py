"""delta-rs as a writer beside others, and as a reader: requests as writers.ts describes.

It fails appends, merges and deletes that a commit of another writer conflicts with; the caller tries again.
"""
import os
import random
import sys
import time

import pyarrow as pa

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "judges"))

from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake  # isort: skip
from deltalake.exceptions import CommitFailedError, DeltaError  # isort: skip
from judge_deltalake import answer as reading  # isort: skip
from protocol import serve  # isort: skip

ATTEMPTS = 200
LONGS = ("n", "ours_1", "ours_2", "rs", "spark")


def arrow(rows, columns):
    """Rows as Arrow: texts, but for the columns that hold numbers."""
    kinds = [(name, pa.int64() if name in LONGS else pa.string()) for name in columns]
    schema = pa.schema([pa.field(name, kind, nullable=name != "id") for name, kind in kinds])
    return pa.table({name: [row.get(name) for row in rows] for name in columns}, schema=schema)


def properties(request):
    """With an application's transaction, where the request has one."""
    txn = request.get("txn")
    return CommitProperties(app_transactions=[Transaction(txn["appId"], txn["version"])]) if txn else None


def append(request):
    columns = [field.name for field in DeltaTable(request["path"]).schema().fields]
    data = arrow(request["rows"], columns)
    write_deltalake(request["path"], data, mode="append", commit_properties=properties(request))


def merge(request):
    columns = request["columns"]
    source = arrow(request["rows"], columns)
    changes = {f"`{c}`": f"coalesce(s.`{c}`, t.`{c}`)" for c in columns if c != "id"}
    merger = DeltaTable(request["path"]).merge(source, "t.id = s.id", "s", "t", commit_properties=properties(request))
    inserts = {f"`{c}`": f"s.`{c}`" for c in columns}
    merger.when_matched_update(changes).when_not_matched_insert(inserts).execute()


def delete(request):
    ids = ", ".join("'" + text + "'" for text in request["ids"])
    DeltaTable(request["path"]).delete(f"id IN ({ids})")


def optimize(request):
    DeltaTable(request["path"]).optimize.compact()


def vacuum(request):
    DeltaTable(request["path"]).vacuum(dry_run=False)


def checkpoint(request):
    DeltaTable(request["path"]).create_checkpoint()


def clean_log(request):
    table = DeltaTable(request["path"])
    table.create_checkpoint()
    table.cleanup_metadata()


WORK = {
    "append": append,
    "merge": merge,
    "delete": delete,
    "optimize": optimize,
    "vacuum": vacuum,
    "checkpoint": checkpoint,
    "clean log": clean_log,
}


def answer(request):
    if request["do"] == "read":
        return reading(request)
    for attempt in range(ATTEMPTS):
        try:
            WORK[request["do"]](request)
            return {"retries": attempt}
        except (CommitFailedError, DeltaError) as error:
            last = error
            time.sleep(random.uniform(0, 0.1))
    raise last


serve(answer)
