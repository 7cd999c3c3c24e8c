"""Spark as a writer beside others, and as a reader: spark_writer.py JARS; requests as writers.ts describes.

Commits go through LinkLogStore, since Spark's own log stores are not safe beside other processes on a
local disk. Its merges lose to every commit that lands meanwhile; the caller tries again.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "judges"))

from protocol import serve  # isort: skip
from pyspark.sql import types as T  # isort: skip
from spark_canonical import open_spark, quoted, table_reading  # isort: skip

ATTEMPTS = 60
LONGS = ("n", "ours_1", "ours_2", "rs", "spark")

spark = open_spark(
    sys.argv[1],
    **{
        "spark.delta.logStore.file.impl": "claims.LinkLogStore",
        "spark.databricks.delta.optimize.repartition.enabled": "true",
        "spark.sql.adaptive.enabled": "false",
    },
)


def named(request):
    return "delta.`" + request["path"] + "`"


def frame(request):
    fields = [T.StructField(c, T.LongType() if c in LONGS else T.StringType(), c != "id") for c in request["columns"]]
    rows = [tuple(row.get(c) for c in request["columns"]) for row in request["rows"]]
    return spark.createDataFrame(rows, T.StructType(fields)).coalesce(1)


def append(request):
    writer = frame(request).write.format("delta").mode("append")
    txn = request.get("txn")
    if txn:
        writer = writer.option("txnAppId", txn["appId"]).option("txnVersion", txn["version"])
    writer.save(request["path"])


def merge(request):
    frame(request).createOrReplaceTempView("source")
    changes = ", ".join(f"{quoted(c)} = coalesce(s.{quoted(c)}, t.{quoted(c)})" for c in request["columns"] if c != "id")
    columns = ", ".join(quoted(c) for c in request["columns"])
    values = ", ".join("s." + quoted(c) for c in request["columns"])
    spark.sql(
        f"MERGE INTO {named(request)} t USING source s ON t.id = s.id "
        f"WHEN MATCHED THEN UPDATE SET {changes} WHEN NOT MATCHED THEN INSERT ({columns}) VALUES ({values})"
    )


def delete(request):
    ids = ", ".join("'" + text + "'" for text in request["ids"])
    spark.sql(f"DELETE FROM {named(request)} WHERE id IN ({ids})")


WORK = {
    "append": append,
    "merge": merge,
    "delete": delete,
    "optimize": lambda request: spark.sql(f"OPTIMIZE {named(request)}"),
    "vacuum": lambda request: spark.sql(f"VACUUM {named(request)}"),
    "add a column": lambda request: spark.sql(f"ALTER TABLE {named(request)} ADD COLUMNS (extra STRING)"),
    "sql": lambda request: spark.sql(request["sql"].replace("{table}", named(request))),
}


def answer(request):
    if request["do"] == "read":
        return table_reading(spark, request)
    for attempt in range(ATTEMPTS):
        try:
            WORK[request["do"]](request)
            return {"retries": attempt}
        except Exception as error:
            if "Concurrent" not in type(error).__name__ + str(error) and "MetadataChanged" not in str(error):
                raise
            last = error
    raise last


serve(answer)
