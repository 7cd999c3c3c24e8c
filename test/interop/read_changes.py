"""Reads the changes of Delta tables with deltalake and Spark: read_changes.py REQUEST.json JARS

REQUEST.json is a list of {"name", "path", "from", "skip"?}. Prints one JSON object: for each name and engine
the rows in the form of judges/README.md; for an engine named in "skip", nothing.
"""
import json
import os
import sys

import pyarrow as pa
from deltalake import DeltaTable

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "judges"))
from arrow_canonical import rows  # noqa: E402
from spark_canonical import open_spark, reading  # noqa: E402

spark = open_spark(sys.argv[2])


def with_deltalake(entry):
    data = pa.table(DeltaTable(entry["path"]).load_cdf(starting_version=entry["from"]).read_all())
    # It takes the time that a commit says, not that of its file.
    return rows(data.drop_columns(["_commit_timestamp"]).select(entry["columns"]))


def with_spark(entry):
    frame = spark.read.format("delta").option("readChangeFeed", "true").option("startingVersion", entry["from"])
    return reading(frame.load(entry["path"]))["rows"]


with open(sys.argv[1]) as file:
    requests = json.load(file)
answers = {}
for entry in requests:
    answers[entry["name"]] = {}
    for name, read in (("deltalake", with_deltalake), ("spark", with_spark)):
        if name in entry.get("skip", []):
            continue
        try:
            answers[entry["name"]][name] = read(entry)
        except Exception as error:
            answers[entry["name"]][name] = f"{type(error).__name__}: {error}"[:1000]
print(json.dumps(answers))
