"""Reads row ids with Spark, and goes on with the tables: read_row_ids.py REQUEST.json JARS

REQUEST.json is a list of {"name", "path", "versions", "change"?}. Prints one JSON object: for each name, by
version, the rows as [id, row id, row commit version]. With "change" Spark then updates, deletes and optimizes.
"""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "judges"))
from spark_canonical import open_spark  # noqa: E402

spark = open_spark(sys.argv[2])


def ids(path, version):
    frame = spark.read.format("delta").option("versionAsOf", version).load(path)
    rows = frame.selectExpr("id", "_metadata.row_id", "_metadata.row_commit_version").collect()
    return [list(row) for row in rows]


with open(sys.argv[1]) as file:
    requests = json.load(file)
answers = {}
for entry in requests:
    path = entry["path"]
    answers[entry["name"]] = {str(version): ids(path, version) for version in entry["versions"]}
    for statement in entry.get("change", []):
        spark.sql(statement.replace("TABLE", f"delta.`{path}`"))
print(json.dumps(answers))
