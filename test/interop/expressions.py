"""Evaluates SQL with Spark and deltalake: expressions.py REQUEST.json JARS

REQUEST.json is {"columns": [[name, type], ...], "rows": [[text or null, ...], ...], "expressions": [[sql, type], ...],
"statements": [sql, ...], "queries": [[path, sql of the table t], ...]}; the texts are cast to the types of the
columns. Prints one JSON object: of each expression its values as texts, of each statement and query the rows as
lists of texts; or an error.
"""
import json
import os
import sys

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "judges"))
from pyspark.sql import types as T  # noqa: E402
from spark_canonical import open_spark, quoted  # noqa: E402

spark = open_spark(sys.argv[2])
spark.conf.set("spark.sql.session.timeZone", "UTC")
with open(sys.argv[1]) as file:
    request = json.load(file)
names = [name for name, _ in request["columns"]]
text = T.StructType([T.StructField(name, T.StringType()) for name in names])
frame = spark.createDataFrame([tuple(row) for row in request["rows"]], text).coalesce(1)
# Points in time come as microseconds.
casts = [
    f"timestamp_micros(CAST({quoted(name)} AS BIGINT)) AS {quoted(name)}"
    if kind == "timestamp"
    else f"CAST({quoted(name)} AS {kind}) AS {quoted(name)}"
    for name, kind in request["columns"]
]
frame.selectExpr(*casts).createOrReplaceTempView("given")


def attempt(work):
    try:
        return work()
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:500]


def texts(rows):
    return [[None if value is None else str(value) for value in row] for row in rows]


def evaluated(sql, kind):
    value = "unix_micros(v)" if kind == "timestamp" else "v"
    found = spark.sql(f"SELECT CAST({value} AS STRING) AS s FROM (SELECT id, ({sql}) AS v FROM given) ORDER BY id")
    return [row["s"] for row in found.collect()]


def queried(path, sql):
    query = QueryBuilder().register("t", DeltaTable(path))
    table = pa.table(query.execute(sql).read_all())
    return texts(zip(*(column.to_pylist() for column in table.columns)))


print(
    json.dumps(
        {
            "expressions": [attempt(lambda: evaluated(*one)) for one in request["expressions"]],
            "statements": [attempt(lambda: texts(spark.sql(one).collect())) for one in request["statements"]],
            "queries": [attempt(lambda: queried(*one)) for one in request["queries"]],
        }
    )
)
