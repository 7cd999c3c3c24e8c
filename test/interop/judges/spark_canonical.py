"""Spark, and its rows in the canonical form that README.md of this folder describes.

Nested values, instants and dates are turned into numbers and texts by Spark itself: Python's own
`datetime` does not reach as far as Spark's.
"""
import json
import struct

from pyspark.sql import SparkSession
from pyspark.sql import types as T


def open_spark(jars, **settings):
    """One session for many tables: one core, UTC, no side files with checksums, no web page."""
    builder = SparkSession.builder.master("local[1]")
    fixed = {
        "spark.driver.extraClassPath": jars,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.driver.memory": "1g",
        "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
        "spark.sql.shuffle.partitions": "1",
        "spark.default.parallelism": "1",
        "spark.sql.session.timeZone": "UTC",
        "spark.databricks.delta.snapshotPartitions": "1",
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
        "spark.hadoop.fs.AbstractFileSystem.file.impl": "org.apache.hadoop.fs.local.RawLocalFs",
    }
    for key, value in {**fixed, **settings}.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    return spark


def quoted(name):
    return "`" + name.replace("`", "``") + "`"


def type_name(kind):
    """`struct<"a":long!,"b":array<string>>`; `!` is not nullable."""
    if isinstance(kind, T.StructType):
        return "struct<" + ",".join(field_name(field) for field in kind.fields) + ">"
    if isinstance(kind, T.ArrayType):
        return "array<" + type_name(kind.elementType) + ("" if kind.containsNull else "!") + ">"
    if isinstance(kind, T.MapType):
        value = type_name(kind.valueType) + ("" if kind.valueContainsNull else "!")
        return "map<" + type_name(kind.keyType) + "," + value + ">"
    if isinstance(kind, T.DecimalType):
        return f"decimal({kind.precision},{kind.scale})"
    return kind.typeName()


def field_name(field):
    name = json.dumps(field.name, ensure_ascii=False)
    return name + ":" + type_name(field.dataType) + ("" if field.nullable else "!")


def expression(kind, text, depth=0):
    """SQL that makes of `text` a value that survives the way to Python."""
    if isinstance(kind, T.StructType):
        parts = ", ".join(
            f"'f{index}', " + expression(field.dataType, f"{text}.{quoted(field.name)}", depth)
            for index, field in enumerate(kind.fields)
        )
        return f"if({text} is null, null, named_struct({parts}))"
    if isinstance(kind, T.ArrayType):
        item = f"x{depth}"
        return f"transform({text}, {item} -> {expression(kind.elementType, item, depth + 1)})"
    if isinstance(kind, T.MapType):
        item = f"x{depth}"
        key = expression(kind.keyType, item + ".key", depth + 1)
        value = expression(kind.valueType, item + ".value", depth + 1)
        return f"transform(map_entries({text}), {item} -> named_struct('k', {key}, 'v', {value}))"
    if isinstance(kind, T.TimestampType):
        return f"unix_micros({text})"
    if isinstance(kind, T.TimestampNTZType):
        return f"unix_micros(cast({text} as timestamp))"
    if isinstance(kind, T.DateType):
        return f"unix_date({text})"
    return text


def value(kind, cell):
    if cell is None:
        return None
    if isinstance(kind, T.StructType):
        return [value(field.dataType, part) for field, part in zip(kind.fields, cell)]
    if isinstance(kind, T.ArrayType):
        return [value(kind.elementType, item) for item in cell]
    if isinstance(kind, T.MapType):
        pairs = [[value(kind.keyType, pair[0]), value(kind.valueType, pair[1])] for pair in cell]
        return sorted(pairs, key=text_of)
    if isinstance(kind, T.DoubleType):
        return float_text(cell, ">d")
    if isinstance(kind, T.FloatType):
        return float_text(cell, ">f")
    if isinstance(kind, T.DecimalType):
        return f"{cell:.{kind.scale}f}"
    if isinstance(kind, T.BinaryType):
        return bytes(cell).hex()
    if isinstance(kind, T.BooleanType):
        return cell
    return str(cell)


def float_text(number, layout):
    return "NaN" if number != number else struct.pack(layout, number).hex()


def text_of(part):
    return json.dumps(part, ensure_ascii=False, separators=(",", ":"))


def reading(frame):
    """Schema and rows of a data frame, the rows in the order of their texts."""
    columns = [
        expression(field.dataType, quoted(field.name)) + f" as c{index}"
        for index, field in enumerate(frame.schema.fields)
    ]
    cells = frame.selectExpr(*columns).collect() if columns else []
    rows = [value(frame.schema, row) for row in cells]
    return {
        "schema": [field_name(field) for field in frame.schema.fields],
        "rows": sorted(rows, key=text_of),
    }


def table_reading(spark, request):
    """The answer to a question; rows without the column `notNull` are counted only."""
    reader = spark.read.format("delta")
    if request.get("version") is not None:
        reader = reader.option("versionAsOf", request["version"])
    frame, column = reader.load(request["path"]), request.get("notNull")
    if column is None:
        answer = reading(frame)
        return {**answer, "total": len(answer["rows"])}
    chosen = reading(frame.where(quoted(column) + " IS NOT NULL"))
    fields = [field_name(field) for field in frame.schema.fields]  # the filter changes what may be null
    return {**chosen, "schema": fields, "total": frame.count()}
