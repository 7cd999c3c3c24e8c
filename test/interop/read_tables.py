"""Reads Delta tables with deltalake and Spark: read_tables.py REQUEST.json JARS

REQUEST.json is a list of {"name", "path", "version"?, "where"?}. Prints one JSON object: for each name
and engine the schema and the rows, with timestamps as microseconds, dates as text.
"""
import datetime
import json
import sys

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def cell(value):
    if isinstance(value, datetime.datetime):
        if value.tzinfo is None:
            value = value.replace(tzinfo=datetime.timezone.utc)
        return (value - EPOCH) // datetime.timedelta(microseconds=1)
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value


def with_deltalake(entry):
    from deltalake import DeltaTable

    table = DeltaTable(entry["path"], version=entry.get("version"))
    data = table.to_pyarrow_table().to_pylist()
    schema = [[field.name, str(field.type.type), field.nullable] for field in table.schema().fields]
    return {"schema": schema, "rows": [{k: cell(v) for k, v in row.items()} for row in data]}


def spark_session(jars):
    from pyspark.sql import SparkSession

    return (
        SparkSession.builder.master("local[1]")
        .config("spark.driver.extraClassPath", jars)
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.memory", "1g")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
        .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
        .getOrCreate()
    )


def with_spark(spark, entry):
    from pyspark.sql import functions as F

    reader = spark.read.format("delta")
    if "version" in entry:
        reader = reader.option("versionAsOf", entry["version"])
    frame = reader.load(entry["path"])
    schema = [[f.name, f.dataType.typeName(), f.nullable] for f in frame.schema.fields]
    columns = []
    for field in frame.schema.fields:
        column = frame["`" + field.name + "`"]
        if field.dataType.typeName() == "timestamp":
            column = F.unix_micros(column)
        elif field.dataType.typeName() == "date":
            column = column.cast("string")
        columns.append(column.alias(field.name))
    rows = [row.asDict() for row in frame.select(*columns).collect()]
    return {"schema": schema, "rows": rows}


def main():
    with open(sys.argv[1]) as file:
        request = json.load(file)
    spark = spark_session(sys.argv[2])
    spark.sparkContext.setLogLevel("ERROR")
    answer = {}
    for entry in request:
        answer[entry["name"]] = {
            "deltalake": with_deltalake(entry),
            "spark": with_spark(spark, entry),
        }
    spark.stop()
    print(json.dumps(answer))


main()
