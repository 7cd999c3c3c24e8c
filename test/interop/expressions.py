"""Evaluates SQL expressions with Spark over rows: expressions.py REQUEST.json JARS

REQUEST.json is {"schema": DDL, "rows": [[text or null, ...], ...], "expressions": [[sql, type], ...]}; the texts
are cast to the types of the schema. Prints one JSON list: for each expression its values as texts.
"""
import json
import os
import sys

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
answers = []
for sql, kind in request["expressions"]:
    value = "unix_micros(v)" if kind == "timestamp" else "v"
    try:
        found = spark.sql(f"SELECT CAST({value} AS STRING) AS s FROM (SELECT id, ({sql}) AS v FROM given) ORDER BY id")
        answers.append([row["s"] for row in found.collect()])
    except Exception as error:
        answers.append(f"{type(error).__name__}: {error}"[:500])
print(json.dumps(answers))
