"""Golden tables written by delta-rs (`deltalake`): make-delta-rs.py [NAME ...]"""
import datetime
import decimal
import os
import sys

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Field, QueryBuilder, Schema, Transaction, convert_to_deltalake, write_deltalake

from deltalake.schema import PrimitiveType

from writing import make_all, table
from arrow_canonical import delta_field, rows  # isort: skip  (its folder is put on the path by writing)
import json  # isort: skip

UTC = datetime.timezone.utc


def at(path, version):
    opened = DeltaTable(path, version=version)
    schema = json.loads(opened.schema().to_json())["fields"]
    batches = QueryBuilder().register("t", opened).execute("SELECT * FROM t").read_all()
    return {"schema": [delta_field(field) for field in schema], "rows": rows(pa.table(batches))}


def some(ids, **more):
    return pa.table({"id": pa.array(ids, pa.int64()), "s": pa.array([f"s{i}" for i in ids], pa.string()), **more})


@table("rs-history", "history", "append, update, delete, merge, overwrite and restore")
def _(path):
    write_deltalake(path, some(range(6)))
    DeltaTable(path).update(updates={"s": "'u'"}, predicate="id = 1")
    DeltaTable(path).delete("id = 2")
    merger = DeltaTable(path).merge(some([3, 10]), "s.id = t.id", source_alias="s", target_alias="t")
    merger.when_matched_update_all().when_not_matched_insert_all().execute()
    write_deltalake(path, some([7]), mode="overwrite")
    DeltaTable(path).restore(2)


@table("rs-partitions", "partitioning", "texts with special characters, nulls and the empty text; dates and instants")
def _(path):
    texts = ["a b", "a/b=c%d", "ünï😀", None, "null", "'q\"", "tab\t", "x" * 60]
    days = [datetime.date(2024, 2, 29), None] * 4
    times = [datetime.datetime(2024, 5, 6, 7, 8, 9, 123456, UTC), datetime.datetime(1969, 12, 31, tzinfo=UTC)] * 4
    data = some(range(8), p=texts, day=pa.array(days, pa.date32()), at=pa.array(times, pa.timestamp("us", "UTC")))
    write_deltalake(path, data, partition_by=["p", "day", "at"])
    DeltaTable(path).delete("day is null")
    write_deltalake(path, data.slice(0, 2), mode="append")


@table("rs-partition-types", "partitioning", "numbers, decimals, booleans and bytes as partition values")
def _(path):
    data = pa.table(
        {
            "n": pa.array([1, 2, 3], pa.int32()),
            "by": pa.array([1, -128, None], pa.int8()),
            "sh": pa.array([1, -32768, None], pa.int16()),
            "l": pa.array([1, -(2**63), None], pa.int64()),
            "bo": pa.array([True, False, None]),
            "de": pa.array([decimal.Decimal("1.25"), decimal.Decimal("0.50"), None], pa.decimal128(10, 2)),
            "d": pa.array([1.5, -1e10, None], pa.float64()),
        }
    )
    write_deltalake(path, data, partition_by=["by", "sh", "l", "bo", "de", "d"])


@table("rs-types", "types", "every type that Arrow has for Delta, nested ones too, with nulls")
def _(path):
    moment = datetime.datetime(2024, 5, 6, 7, 8, 9, 123456)
    data = pa.table(
        {
            "by": pa.array([1, -128, None], pa.int8()),
            "sh": pa.array([1, -32768, None], pa.int16()),
            "i": pa.array([1, -(2**31), None], pa.int32()),
            "l": pa.array([2**63 - 1, -(2**63), None], pa.int64()),
            "f": pa.array([1.5, float("nan"), None], pa.float32()),
            "d": pa.array([float("inf"), -0.0, None], pa.float64()),
            "de": pa.array([decimal.Decimal("9" * 28 + "." + "9" * 10), decimal.Decimal("-0.0000000001"), None], pa.decimal128(38, 10)),
            "bo": pa.array([True, False, None]),
            "s": pa.array(["ünï😀", "", None]),
            "bi": pa.array([b"\x00\xff", b"", None], pa.binary()),
            "da": pa.array([datetime.date(1, 1, 1), datetime.date(9999, 12, 31), None], pa.date32()),
            "ts": pa.array([moment.replace(tzinfo=UTC), datetime.datetime(1, 1, 1, tzinfo=UTC), None], pa.timestamp("us", "UTC")),
            "nt": pa.array([moment, datetime.datetime(9999, 12, 31, 23, 59, 59, 999999), None], pa.timestamp("us")),
            "st": pa.array([{"a": 1, "l": [{"x": "y"}, None]}, {"a": None, "l": []}, None], pa.struct([("a", pa.int32()), ("l", pa.list_(pa.struct([("x", pa.string())])))])),
            "m": pa.array([[("k", [1, None])], [], None], pa.map_(pa.string(), pa.list_(pa.int64()))),
        }
    )
    write_deltalake(path, data)
    DeltaTable(path).delete("by = 1")


@table("rs-schema", "schema", "columns added by appends, in structs too")
def _(path):
    write_deltalake(path, pa.table({"id": [1], "st": pa.array([{"a": 1}])}))
    write_deltalake(path, pa.table({"id": [2], "more": ["x"]}), mode="append", schema_mode="merge")
    write_deltalake(path, pa.table({"id": [3], "st": pa.array([{"a": 3, "b": "new"}])}), mode="append", schema_mode="merge")


@table("rs-checkpoint", "checkpoint", "a checkpoint by hand, log cleaned, vacuumed", versions=[5, 6])
def _(path):
    write_deltalake(path, some([0]), configuration={"delta.logRetentionDuration": "interval 0 seconds"})
    for i in range(1, 6):
        write_deltalake(path, some([i]), mode="append")
    opened = DeltaTable(path)
    opened.create_checkpoint()
    opened.cleanup_metadata()
    write_deltalake(path, some([6]), mode="append")


@table("rs-optimize", "optimize", "compacted and Z-ordered; partitioned", versions=[3, 4, 5])
def _(path):
    for i in range(4):
        write_deltalake(path, some(range(i * 10, i * 10 + 10), p=[j % 2 for j in range(10)]), mode="append", partition_by=["p"])
    DeltaTable(path).optimize.compact()
    write_deltalake(path, some([99], p=[1]), mode="append")
    DeltaTable(path).optimize.z_order(["id"])


@table("rs-vacuum", "vacuum", "old files gone, the newest version stays", versions=[2])
def _(path):
    write_deltalake(path, some(range(4)))
    DeltaTable(path).delete("id = 1")
    DeltaTable(path).update(updates={"s": "'u'"}, predicate="id = 2")
    DeltaTable(path).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)


@table("rs-txn", "txn", "application ids", txn={"app": 2, "ä": 9})
def _(path):
    for version, app in ((1, "app"), (9, "ä"), (2, "app")):
        properties = CommitProperties(app_transactions=[Transaction(app, version)])
        write_deltalake(path, some([version]), mode="append", commit_properties=properties)


@table("rs-change-data-feed", "changeDataFeed", "change files of an update, a delete and a merge")
def _(path):
    write_deltalake(path, some(range(4)), configuration={"delta.enableChangeDataFeed": "true"})
    DeltaTable(path).update(updates={"s": "'u'"}, predicate="id = 1")
    DeltaTable(path).delete("id = 2")


@table("rs-constraints", "checkConstraints", "CHECK and NOT NULL")
def _(path):
    schema = pa.schema([pa.field("id", pa.int64(), False), pa.field("n", pa.int32())])
    write_deltalake(path, pa.table([[1], [5]], schema=schema))
    DeltaTable(path).alter.add_constraint({"positive": "n > 0"})
    write_deltalake(path, pa.table([[2], [6]], schema=schema), mode="append")


@table("rs-converted", "convert", "a folder of Parquet files made a table: file names that Delta did not give")
def _(path):
    for p in (1, 2):
        folder = os.path.join(path, f"p={p}")
        os.makedirs(folder)
        pq.write_table(some([p, p + 10]), os.path.join(folder, "odd name é+&.parquet"))
    convert_to_deltalake(path, partition_strategy="hive", partition_by=Schema([Field("p", PrimitiveType("integer"))]))
    write_deltalake(path, some([5], p=pa.array([1], pa.int32())), mode="append")


@table("rs-empty", "history", "never any rows; then rows, then none")
def _(path):
    write_deltalake(path, some([]))
    write_deltalake(path, some([1]), mode="append")
    DeltaTable(path).delete()


make_all("deltalake 1.6.6", at, sys.argv[1:])
