"""Golden tables written by Spark: make-spark.py JARS [NAME ...]

Each function writes one table; what Spark reads from it, at each version, becomes `expected.json`.
"""
import json
import os
import sys

from writing import age_log, make_all, table, versions_in
from spark_canonical import open_spark, reading  # isort: skip  (its folder is put on the path by writing)

spark = open_spark(
    sys.argv[1],
    **{
        "spark.databricks.delta.retentionDurationCheck.enabled": "false",
        "spark.sql.parquet.compression.codec": "snappy",
        "spark.sql.ansi.enabled": "false",
        "spark.sql.readSideCharPadding": "false",
        "spark.databricks.delta.snapshotPartitions": "1",
        "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
        "spark.sql.parquet.int96RebaseModeInWrite": "CORRECTED",
    },
)
sql = spark.sql


def at(path, version):
    return reading(spark.read.format("delta").option("versionAsOf", version).load(path))


def feed(start=1):
    """The change feed from version `start`, without the time of each commit."""

    def read(path):
        frame = (
            spark.read.format("delta").option("readChangeFeed", "true").option("startingVersion", start).load(path)
        )
        return {"from": start, **reading(frame.drop("_commit_timestamp"))}

    return read


def create(path, columns, properties=None, partition=None, cluster=None):
    props = ", ".join(f"'{k}' = '{v}'" for k, v in (properties or {}).items())
    sql(
        f"CREATE TABLE delta.`{path}` ({columns}) USING delta"
        + (f" PARTITIONED BY ({partition})" if partition else "")
        + (f" CLUSTER BY ({cluster})" if cluster else "")
        + (f" TBLPROPERTIES ({props})" if props else "")
    )


def insert(path, values, columns=""):
    sql(f"INSERT INTO delta.`{path}` {columns} VALUES {values}")


def insert_range(path, start, end, select):
    sql(f"INSERT INTO delta.`{path}` SELECT {select} FROM range({start}, {end}, 1, 1)")


DV = {"delta.enableDeletionVectors": "true"}
NAME = {"delta.columnMapping.mode": "name"}
CDF = {"delta.enableChangeDataFeed": "true"}

# Partitions


@table("partition-strings", "partitioning", "texts with nulls, special characters, spaces and other scripts as partition values")
def _(path):
    create(path, "n INT, p STRING", partition="p")
    insert(path, "(1, null), (2, 'plain'), (3, 'with space'), (4, 'a/b'), (5, 'a=b'), (6, 'a%20b')")
    insert(path, "(7, 'ünï😀'), (8, 'it''s'), (9, 'q\"uote'), (10, '#?&+:'), (11, '{x}[y]'), (12, '.hidden'), (13, '__HIVE_DEFAULT_PARTITION__x')")
    insert(path, "(14, ' lead'), (15, 'trail '), (16, 'null'), (17, '100'), (18, 'back\\\\slash'), (19, '*'), (20, 'a\\tb')")


@table("partition-two-columns", "partitioning", "two partition columns in another order than in the schema, with nulls in either")
def _(path):
    create(path, "a INT, x STRING, b DATE", partition="b, a")
    insert(path, "(1, 'x', DATE'2024-02-29'), (null, 'y', DATE'1969-12-31'), (2, 'z', null), (null, null, null)")
    insert(path, "(1, 'again', DATE'2024-02-29'), (2, 'old', DATE'0001-01-01'), (2, 'far', DATE'9999-12-31')")
    sql(f"DELETE FROM delta.`{path}` WHERE a = 1")


@table("partition-all-types", "partitioning", "every primitive type as a partition value")
def _(path):
    cols = "by BYTE, sh SHORT, i INT, l LONG, f FLOAT, d DOUBLE, dec DECIMAL(12,4), bo BOOLEAN, da DATE, ts TIMESTAMP, nt TIMESTAMP_NTZ, s STRING, bi BINARY"
    names = "by, sh, i, l, f, d, dec, bo, da, ts, nt, s, bi"
    create(path, "n INT, " + cols, partition=names)
    insert(path, "(1, 1, 2, 3, 4, 1.5, -2.25, 12.3400, true, DATE'2024-05-06', TIMESTAMP'2024-05-06 07:08:09.123456', TIMESTAMP_NTZ'2024-05-06 07:08:09.000001', 'x', X'414243')")
    insert(path, "(2, -128, -32768, -2147483648, -9223372036854775808, -1e30, 1e300, -99999999.9999, false, DATE'1582-10-15', TIMESTAMP'1900-01-01 00:00:00', TIMESTAMP_NTZ'1969-12-31 23:59:59.999999', 'ü', X'7a')")
    insert(path, "(3, null, null, null, null, null, null, null, null, null, null, null, null, null)")
    insert(path, "(4, 127, 32767, 2147483647, 9223372036854775807, cast('NaN' as float), cast('Infinity' as double), 0, null, DATE'9999-12-31', TIMESTAMP'9999-12-31 23:59:59.999999', TIMESTAMP_NTZ'0001-01-01 00:00:00', ' ', X'')")


@table("partition-timestamps-utc", "partitioning", "instants as partition values, written with UTC-normalised texts and with local ones")
def _(path):
    create(path, "n INT, ts TIMESTAMP", partition="ts")
    spark.conf.set("spark.databricks.delta.write.utcTimestampPartitionValues", "true")
    insert(path, "(1, TIMESTAMP'2024-05-06 07:08:09'), (2, TIMESTAMP'2024-05-06 07:08:09.5'), (3, null)")
    spark.conf.set("spark.databricks.delta.write.utcTimestampPartitionValues", "false")
    insert(path, "(4, TIMESTAMP'2024-05-06 07:08:09'), (5, TIMESTAMP'1883-11-18 12:03:58.000001')")
    spark.conf.unset("spark.databricks.delta.write.utcTimestampPartitionValues")


@table("partition-overwrite", "partitioning", "partitions replaced by a condition and dynamically")
def _(path):
    create(path, "n INT, p STRING", partition="p")
    insert(path, "(1, 'a'), (2, 'b'), (3, 'c')")
    frame = spark.createDataFrame([(10, "b")], "n int, p string")
    frame.write.format("delta").mode("overwrite").option("replaceWhere", "p = 'b'").save(path)
    frame = spark.createDataFrame([(20, "c"), (21, "d")], "n int, p string")
    frame.write.format("delta").mode("overwrite").option("partitionOverwriteMode", "dynamic").save(path)


@table("partition-columns-only", "partitioning", "a table replaced by one with other partition columns")
def _(path):
    spark.range(4).selectExpr("cast(id as int) n", "id % 2 p").write.format("delta").partitionBy("p").save(path)
    spark.range(3).selectExpr("cast(id as int) n", "id % 3 p").write.format("delta").mode("overwrite").option("overwriteSchema", "true").partitionBy("n").save(path)


# Types


@table("types-primitive", "types", "every primitive type, its extremes and nulls; NaN, infinities and negative zero")
def _(path):
    create(path, "n INT, by BYTE, sh SHORT, i INT, l LONG, f FLOAT, d DOUBLE, bo BOOLEAN, s STRING, bi BINARY, da DATE, ts TIMESTAMP, nt TIMESTAMP_NTZ")
    insert(path, "(1, 0, 0, 0, 0, 0, 0, false, '', X'', DATE'1970-01-01', TIMESTAMP'1970-01-01 00:00:00', TIMESTAMP_NTZ'1970-01-01 00:00:00')")
    insert(path, "(2, 127, 32767, 2147483647, 9223372036854775807, cast('3.4028235e38' as float), 1.7976931348623157e308, true, 'ünï😀\\ncode', X'00ff80', DATE'9999-12-31', TIMESTAMP'9999-12-31 23:59:59.999999', TIMESTAMP_NTZ'9999-12-31 23:59:59.999999')")
    insert(path, "(3, -128, -32768, -2147483648, -9223372036854775808, cast('-1.4e-45' as float), -4.9e-324, null, repeat('long', 50), unhex(repeat('ab', 100)), DATE'0001-01-01', TIMESTAMP'0001-01-01 00:00:00', TIMESTAMP_NTZ'0001-01-01 00:00:00')")
    insert(path, "(4, null, null, null, null, cast('NaN' as float), cast('NaN' as double), null, null, null, null, null, null)")
    insert(path, "(5, null, null, null, null, cast('Infinity' as float), cast('-Infinity' as double), null, chr(0), null, DATE'1582-10-04', TIMESTAMP'1582-10-04 23:59:59', TIMESTAMP_NTZ'1582-10-15 00:00:00')")
    insert(path, "(6, null, null, null, null, cast('-0.0' as float), cast('-0.0' as double), null, null, null, DATE'1900-02-28', TIMESTAMP'1677-09-21 00:12:43.145224', TIMESTAMP_NTZ'2262-04-12 00:00:00')")


@table("types-decimal", "types", "decimals of every storage width, their extremes, small ones and negative ones")
def _(path):
    create(path, "n INT, a DECIMAL(1,0), b DECIMAL(9,9), c DECIMAL(18,6), d DECIMAL(19,0), e DECIMAL(38,0), f DECIMAL(38,38), g DECIMAL(38,18)")
    nines = "9" * 38
    insert(path, f"(1, 9, 0.999999999, 999999999999.999999, 9999999999999999999, {nines}, 0.{nines}, 12345678901234567890.123456789012345678)")
    insert(path, f"(2, -9, -0.000000001, -0.000001, -1, -{nines}, -0.{'0' * 37}1, -0.000000000000000001)")
    insert(path, "(3, null, null, null, null, null, null, null), (4, 0, 0, 0, 0, 0, 0, 0)")
    sql(f"UPDATE delta.`{path}` SET c = c + 1 WHERE n = 2")


@table("types-decimal-legacy-parquet", "types", "decimals and instants as old Parquet writers keep them (fixed-length bytes)")
def _(path):
    spark.conf.set("spark.sql.parquet.writeLegacyFormat", "true")
    create(path, "a DECIMAL(5,2), b DECIMAL(15,3), c DECIMAL(30,10), l ARRAY<INT>, m MAP<STRING,INT>, s STRUCT<x:ARRAY<STRING>>")
    insert(path, "(1.25, -12.5, 1234567890.0000000001, array(1, null), map('k', 1), struct(array('a', null)))")
    insert(path, "(null, null, null, null, null, null), (-999.99, 0, -0.0000000001, array(), map(), struct(array()))")
    spark.conf.unset("spark.sql.parquet.writeLegacyFormat")


@table("types-nested", "types", "struct, array and map in each other, with nulls and empties at every level")
def _(path):
    create(path, "n INT, s STRUCT<a:INT, b:STRUCT<c:STRING, d:ARRAY<LONG>>>, l ARRAY<STRUCT<x:INT, y:ARRAY<STRING>>>, m MAP<STRING, STRUCT<v:DOUBLE, w:MAP<INT, STRING>>>, ll ARRAY<ARRAY<INT>>, mk MAP<STRUCT<a:INT, b:STRING>, DATE>, ts ARRAY<TIMESTAMP>, de MAP<DATE, DECIMAL(20,5)>, bi ARRAY<BINARY>")
    insert(path, "(1, struct(1, struct('c', array(1, null, 3))), array(struct(1, array('y', null)), null, struct(null, null)), map('k', struct(1.5, map(1, 'one', 2, null)), 'z', null), array(array(1, 2), array(), null), map(struct(1, 'b'), DATE'2024-01-02'), array(TIMESTAMP'2024-01-02 03:04:05.678901', null), map(DATE'2020-02-29', -1.5), array(X'00', null))")
    insert(path, "(2, null, null, null, null, null, null, null, null)")
    insert(path, "(3, struct(null, null), array(), map(), array(), map(), array(), map(), array())")
    insert(path, "(4, struct(2, struct(null, null)), array(struct(7, array())), map('', struct(cast('NaN' as double), map())), array(null), map(struct(null, null), null), array(TIMESTAMP'1500-01-01 00:00:00'), map(DATE'0001-01-01', null), array(X''))")
    sql(f"DELETE FROM delta.`{path}` WHERE n = 2")


@table("types-timestamps-millis", "types", "instants stored as milliseconds and as microseconds in one table, beside INT96")
def _(path):
    create(path, "n INT, ts TIMESTAMP")
    for kind in ("TIMESTAMP_MILLIS", "TIMESTAMP_MICROS", "INT96"):
        spark.conf.set("spark.sql.parquet.outputTimestampType", kind)
        insert(path, f"({len(kind)}, TIMESTAMP'2024-05-06 07:08:09.123'), ({len(kind) + 100}, TIMESTAMP'1850-05-06 07:08:09.001'), (0, null)")
    insert(path, "(300, TIMESTAMP'0001-01-01 00:00:00'), (301, TIMESTAMP'9999-12-31 23:59:59.999999'), (302, TIMESTAMP'1677-09-21 00:12:43'), (303, TIMESTAMP'2262-04-11 23:47:17')")
    spark.conf.unset("spark.sql.parquet.outputTimestampType")


@table("types-intervals-of-names", "types", "column names with dots, spaces, quotes, other scripts; names that differ from words of SQL by nothing")
def _(path):
    create(path, "`select` INT, `a.b` STRING, `x` STRUCT<`c.d`: INT, `from`: STRING>, `ünï😀` INT, `quo\"te` INT, `tick``` INT, `$&%` INT, `_metadata_` INT, `file_row_number` INT, `filename` STRING", {"delta.columnMapping.mode": "name"})
    insert(path, "(1, 'dot', struct(2, 'f'), 3, 4, 5, 6, 7, 8, 'mine'), (null, null, null, null, null, null, null, null, null, null)")
    sql(f"UPDATE delta.`{path}` SET `a.b` = 'changed', x.`c.d` = 9 WHERE `select` = 1")


@table("types-char-varchar", "types", "CHAR and VARCHAR, which are texts with metadata")
def _(path):
    create(path, "c CHAR(5), v VARCHAR(3), l ARRAY<VARCHAR(2)>")
    insert(path, "('ab', 'xyz', array('q')), (null, null, null)")


@table("types-void", "types", "a column whose type is void, which the protocol does not know", refused="void")
def _(path):
    spark.sql("SELECT 1 AS n, null AS nothing").write.format("delta").save(path)


@table("types-variant", "variantType", "a variant column", refused="variant")
def _(path):
    create(path, "n INT, v VARIANT")
    sql(f"INSERT INTO delta.`{path}` SELECT 1, parse_json('{{\"a\": [1, null]}}')")


@table("types-long-names", "types", "names and texts of a few hundred characters, far beyond what statistics keep")
def _(path):
    long = "n" * 250
    create(path, f"`{long}` STRING, p STRING", partition="p")
    insert(path, "(repeat('ä', 400), repeat('p', 60)), (repeat('z', 31) || '😀😀', repeat('q', 60))")
    sql(f"DELETE FROM delta.`{path}` WHERE p = repeat('p', 60)")


@table("types-many-columns", "types", "sixty columns: only the first have statistics")
def _(path):
    cols = ", ".join(f"c{i} INT" for i in range(60))
    create(path, cols)
    for k in (0, 100):
        insert(path, "(" + ", ".join(str(i + k) for i in range(60)) + ")")
    sql(f"UPDATE delta.`{path}` SET c59 = -1 WHERE c58 = 158")


# Histories


@table("history-empty", "history", "a table that never had rows")
def _(path):
    create(path, "id LONG NOT NULL, s STRING")


@table("history-deleted-everything", "history", "rows deleted to the last, by a condition and without one, and filled again")
def _(path):
    create(path, "id LONG, s STRING")
    insert(path, "(1, 'a'), (2, 'b')")
    sql(f"DELETE FROM delta.`{path}` WHERE id = 1")
    sql(f"DELETE FROM delta.`{path}`")
    insert(path, "(3, 'c')")
    sql(f"DELETE FROM delta.`{path}` WHERE id > 0")


@table("history-restore", "restore", "restored by version and again; files come back")
def _(path):
    create(path, "id LONG, s STRING", partition="s")
    insert(path, "(1, 'a'), (2, 'b')")
    sql(f"UPDATE delta.`{path}` SET id = id + 10 WHERE s = 'a'")
    sql(f"DELETE FROM delta.`{path}` WHERE s = 'b'")
    sql(f"RESTORE TABLE delta.`{path}` TO VERSION AS OF 1")
    insert(path, "(3, 'c')")
    sql(f"RESTORE TABLE delta.`{path}` TO VERSION AS OF 3")


@table("history-merge", "merge", "matched, not matched, not matched by source; with update, insert, delete", versions=[1, 2, 3, 4])
def _(path):
    create(path, "id LONG, s STRING, n INT")
    insert_range(path, 0, 10, "id, concat('s', id), cast(id as int)")
    spark.range(5, 15).selectExpr("id", "'m' || id AS s", "-1 AS n").createOrReplaceTempView("src")
    sql(f"MERGE INTO delta.`{path}` t USING src ON t.id = src.id WHEN MATCHED AND t.id = 7 THEN DELETE WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *")
    sql(f"MERGE INTO delta.`{path}` t USING src ON t.id = src.id WHEN NOT MATCHED BY SOURCE AND t.id < 2 THEN DELETE WHEN NOT MATCHED BY SOURCE THEN UPDATE SET n = 100")
    sql(f"MERGE INTO delta.`{path}` t USING src ON t.id = src.id + 100 WHEN NOT MATCHED THEN INSERT (id) VALUES (src.id + 100)")


@table("history-optimize", "optimize", "small files joined, nothing changed", versions=[5, 6, 7])
def _(path):
    create(path, "id LONG, s STRING")
    for i in range(5):
        insert(path, f"({i}, 's{i}')")
    sql(f"OPTIMIZE delta.`{path}`")
    insert(path, "(9, null)")


@table("history-zorder", "optimize", "Z-ordered by two columns", versions=[2, 3])
def _(path):
    create(path, "a INT, b INT, s STRING")
    insert_range(path, 0, 40, "cast(id % 7 as int), cast(id % 5 as int), concat('s', id)")
    insert_range(path, 40, 80, "cast(id % 7 as int), cast(id % 5 as int), concat('s', id)")
    sql(f"OPTIMIZE delta.`{path}` ZORDER BY (a, b)")


@table("history-vacuum", "vacuum", "old versions cannot be read after VACUUM, the newest can", versions=[5])
def _(path):
    create(path, "id LONG, s STRING")
    insert(path, "(1, 'a'), (2, 'b')")
    sql(f"UPDATE delta.`{path}` SET s = 'c' WHERE id = 1")
    sql(f"DELETE FROM delta.`{path}` WHERE id = 2")
    sql(f"VACUUM delta.`{path}` RETAIN 0 HOURS")


@table("history-schema-evolution", "schema", "columns added at the top and inside of structs, arrays and maps; order changed; comments")
def _(path):
    create(path, "id LONG, s STRUCT<a:INT>, l ARRAY<STRUCT<x:INT>>, m MAP<STRING, STRUCT<v:INT>>")
    insert(path, "(1, struct(1), array(struct(1), null), map('k', struct(1), 'n', null)), (2, null, null, null), (3, struct(null), array(), map())")
    sql(f"ALTER TABLE delta.`{path}` ADD COLUMNS (first STRING COMMENT 'new' FIRST, s.b DOUBLE, l.element.y STRING, m.value.w DATE)")
    insert(path, "('f', 4, struct(2, 2.5), array(struct(2, 'y')), map('k', struct(2, DATE'2024-01-01')))")
    sql(f"ALTER TABLE delta.`{path}` ALTER COLUMN id FIRST")
    sql(f"ALTER TABLE delta.`{path}` ALTER COLUMN s.b FIRST")
    insert(path, "(5, null, struct(3.5, 3), null, null)")
    sql(f"ALTER TABLE delta.`{path}` ADD COLUMNS (s.c STRUCT<deep: ARRAY<INT>> AFTER b)")


@table("history-merge-schema", "schema", "columns added by writes (mergeSchema), and a type replaced (overwriteSchema)")
def _(path):
    spark.createDataFrame([(1, "a")], "id int, s string").write.format("delta").save(path)
    spark.createDataFrame([(2, 2.5)], "id int, d double").write.format("delta").mode("append").option("mergeSchema", "true").save(path)
    spark.createDataFrame([("x",)], "id string").write.format("delta").mode("overwrite").option("overwriteSchema", "true").save(path)


@table("history-multi-file-commit", "history", "one commit with many files of different row counts")
def _(path):
    spark.range(30).selectExpr("id", "concat('s', id) s").repartition(7, "id").write.format("delta").save(path)


# The log


@table("log-checkpoint", "checkpoint", "a classic checkpoint every three commits", versions=[0, 1, 2, 3, 4, 5, 6, 7])
def _(path):
    create(path, "id LONG, s STRING", {"delta.checkpointInterval": "3"}, partition="s")
    for i in range(6):
        insert(path, f"({i}, 's{i % 2}'), ({i + 10}, null)")
    sql(f"DELETE FROM delta.`{path}` WHERE id = 3")


@table("log-checkpoint-struct-stats", "checkpoint", "statistics as a struct only, none as JSON; partition values parsed", versions=[3, 4, 5])
def _(path):
    create(path, "id LONG, ts TIMESTAMP, d DECIMAL(10,2), s STRING, p DATE", {"delta.checkpointInterval": "2", "delta.checkpoint.writeStatsAsStruct": "true", "delta.checkpoint.writeStatsAsJson": "false"}, partition="p")
    for i in range(5):
        insert(path, f"({i}, TIMESTAMP'2024-01-0{i + 1} 00:00:00.0005', {i}.25, 's{i}', DATE'2024-01-0{i + 1}')")


@table("log-checkpoint-no-stats", "checkpoint", "a checkpoint that keeps no statistics, and a table that collects none", versions=[2, 3, 4])
def _(path):
    create(path, "id LONG, s STRING", {"delta.checkpointInterval": "2", "delta.checkpoint.writeStatsAsStruct": "false", "delta.checkpoint.writeStatsAsJson": "false", "delta.dataSkippingNumIndexedCols": "0"})
    for i in range(4):
        insert(path, f"({i}, 's{i}')")


@table("log-checkpoint-multipart", "checkpoint", "a checkpoint in several parts", versions=[4, 5, 6])
def _(path):
    spark.conf.set("spark.databricks.delta.checkpoint.partSize", "3")
    create(path, "id LONG, s STRING", {"delta.checkpointInterval": "5"})
    for i in range(6):
        insert(path, f"({i}, 's{i}'), ({i + 10}, null)")
    spark.conf.unset("spark.databricks.delta.checkpoint.partSize")


def v2_checkpoint(kind):
    def make(path):
        spark.conf.set("spark.databricks.delta.checkpointV2.topLevelFileFormat", kind)
        spark.conf.set("spark.databricks.delta.checkpoint.partSize", "2")
        create(path, "id LONG, s STRING", {"delta.checkpointPolicy": "v2", "delta.checkpointInterval": "4", **DV})
        for i in range(5):
            insert(path, f"({i}, 's{i}'), ({i + 10}, null)")
        sql(f"DELETE FROM delta.`{path}` WHERE id = 11")
        for i in range(3):
            insert(path, f"({i + 20}, 't{i}')")
        spark.conf.unset("spark.databricks.delta.checkpointV2.topLevelFileFormat")
        spark.conf.unset("spark.databricks.delta.checkpoint.partSize")

    return make


table("log-v2-checkpoint-json", "v2Checkpoint", "v2 checkpoints in JSON with several sidecars", versions=[3, 4, 5, 8, 9])(v2_checkpoint("json"))
table("log-v2-checkpoint-parquet", "v2Checkpoint", "v2 checkpoints in Parquet with several sidecars", versions=[3, 4, 5, 8, 9])(v2_checkpoint("parquet"))


@table("log-v2-to-classic", "v2Checkpoint", "first v2 checkpoints, then classic ones again", versions=[2, 3, 4, 6, 7])
def _(path):
    create(path, "id LONG", {"delta.checkpointPolicy": "v2", "delta.checkpointInterval": "2"})
    for i in range(3):
        insert(path, f"({i})")
    sql(f"ALTER TABLE delta.`{path}` SET TBLPROPERTIES ('delta.checkpointPolicy' = 'classic')")
    for i in range(3):
        insert(path, f"({i + 10})")


@table("log-cleaned", "log cleanup", "old commits removed: the log begins with a checkpoint", versions=[8, 9])
def _(path):
    create(path, "id LONG, s STRING", {"delta.checkpointInterval": "4"})
    for i in range(7):
        insert(path, f"({i}, 's{i}')")
    age_log(path, 8)
    insert(path, "(8, 'cleaned after this')")
    insert(path, "(9, 'nine')")


@table("log-compaction", "log compaction", "a compacted log file beside its commits (made by the script from Spark's commits)", versions=[5, 6])
def _(path):
    create(path, "id LONG, s STRING", DV)
    for i in range(3):
        insert(path, f"({i}, 's{i}'), ({i + 10}, null)")
    sql(f"DELETE FROM delta.`{path}` WHERE id = 11")
    sql(f"DELETE FROM delta.`{path}` WHERE id = 1")
    insert(path, "(7, 'seven')")
    compact_log(path, 1, 5)


def compact_log(path, first, last):
    """Joins commits by the rules of the protocol: the newest action of each file, no commitInfo."""
    files, others = {}, {}
    for version in range(first, last + 1):
        with open(os.path.join(path, "_delta_log", f"{version:020d}.json")) as lines:
            actions = [json.loads(line) for line in lines]
        for action in actions:
            ((kind, body),) = action.items()
            if kind in ("add", "remove"):
                dv = body.get("deletionVector")
                files[(body["path"], dv and (dv["storageType"], dv["pathOrInlineDv"], dv.get("offset")))] = action
            elif kind not in ("commitInfo", "cdc"):
                others[(kind, body.get("appId") or body.get("domain"))] = action
    with open(os.path.join(path, "_delta_log", f"{first:020d}.{last:020d}.compacted.json"), "w") as target:
        for action in [*others.values(), *files.values()]:
            target.write(json.dumps(action) + "\n")


@table("log-in-commit-timestamps", "inCommitTimestamp", "turned on in the middle of the history")
def _(path):
    create(path, "id LONG")
    insert(path, "(1)")
    sql(f"ALTER TABLE delta.`{path}` SET TBLPROPERTIES ('delta.enableInCommitTimestamps' = 'true')")
    insert(path, "(2)")
    insert(path, "(3)")


@table("log-checksums", "checksum", "a version checksum for each commit, with transactions and domains", txn={"app one": 7, "ä/2": 1}, versions=[1, 2, 3])
def _(path):
    create(path, "id LONG, s STRING", {**DV, "delta.feature.domainMetadata": "supported"})
    frame = spark.range(3).selectExpr("id", "'a' s")
    for app, version in (("app one", 3), ("ä/2", 1), ("app one", 7)):
        frame.write.format("delta").mode("append").option("txnAppId", app).option("txnVersion", version).save(path)


@table("log-txn", "txn", "application ids through a checkpoint", txn={"app": 4}, versions=[4, 5])
def _(path):
    create(path, "id LONG", {"delta.checkpointInterval": "3"})
    for version in range(5):
        spark.range(version, version + 1).write.format("delta").mode("append").option("txnAppId", "app").option("txnVersion", version).save(path)


# Deletion vectors


@table("dv-inline-and-file", "deletionVectors", "vectors in the log and in files, several in one file, one grown by another delete")
def _(path):
    create(path, "id LONG, p INT, s STRING", DV, partition="p")
    insert_range(path, 0, 60, "id, cast(id % 3 as int), concat('s', id)")
    sql(f"DELETE FROM delta.`{path}` WHERE id % 5 = 0")
    sql(f"DELETE FROM delta.`{path}` WHERE id % 7 = 0 AND p = 1")
    sql(f"UPDATE delta.`{path}` SET s = 'updated' WHERE id IN (1, 2)")


@table("dv-large", "deletionVectors", "a vector of runs, of bitmaps and of single positions in a file of many rows", versions=[1, 2, 3])
def _(path):
    create(path, "id INT", DV)
    spark.conf.set("spark.sql.parquet.compression.codec", "zstd")
    insert_range(path, 0, 200000, "cast(id as int)")
    spark.conf.set("spark.sql.parquet.compression.codec", "snappy")
    sql(f"DELETE FROM delta.`{path}` WHERE id < 70000 OR (id BETWEEN 80000 AND 150000 AND id % 3 <> 0) OR id > 150020")
    sql(f"DELETE FROM delta.`{path}` WHERE id % 3 = 0 AND id BETWEEN 70100 AND 199000")
    sql(f"DELETE FROM delta.`{path}` WHERE id BETWEEN 70050 AND 149500")


@table("dv-purged", "deletionVectors", "vectors rewritten away by OPTIMIZE", versions=[2, 3, 4])
def _(path):
    create(path, "id LONG, s STRING", DV)
    insert_range(path, 0, 20, "id, concat('s', id)")
    sql(f"DELETE FROM delta.`{path}` WHERE id % 4 = 0")
    insert(path, "(100, null)")
    sql(f"OPTIMIZE delta.`{path}`")


@table("dv-merge", "deletionVectors", "a merge that writes vectors, a file emptied by a vector, and a restore", versions=[1, 2, 3, 4, 5])
def _(path):
    create(path, "id LONG, s STRING", DV)
    insert_range(path, 0, 10, "id, concat('s', id)")
    spark.range(5, 15).selectExpr("id", "'m' || id AS s").createOrReplaceTempView("src")
    sql(f"MERGE INTO delta.`{path}` t USING src ON t.id = src.id WHEN MATCHED AND t.id = 7 THEN DELETE WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *")
    sql(f"DELETE FROM delta.`{path}` WHERE id < 5")
    sql(f"RESTORE TABLE delta.`{path}` TO VERSION AS OF 2")
    sql(f"OPTIMIZE delta.`{path}`")


@table("dv-checkpoint", "deletionVectors", "vectors in a checkpoint, then turned off", versions=[2, 3, 4, 5])
def _(path):
    create(path, "id LONG, s STRING", {**DV, "delta.checkpointInterval": "3"})
    insert_range(path, 0, 10, "id, concat('s', id)")
    sql(f"DELETE FROM delta.`{path}` WHERE id = 2")
    sql(f"DELETE FROM delta.`{path}` WHERE id = 3")
    sql(f"ALTER TABLE delta.`{path}` SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'false')")
    sql(f"DELETE FROM delta.`{path}` WHERE id = 4")


@table("dv-column-mapping", "deletionVectors", "with column mapping, a dropped column, a renamed partition column and nested types", versions=[1, 2, 5, 6])
def _(path):
    create(path, "id LONG, gone INT, p STRING, st STRUCT<a:INT, b:STRING>", {**DV, **NAME}, partition="p")
    insert_range(path, 0, 20, "id, 1, concat('p', id % 2), struct(cast(id as int), 'b')")
    sql(f"DELETE FROM delta.`{path}` WHERE id % 3 = 0")
    sql(f"ALTER TABLE delta.`{path}` DROP COLUMN gone")
    sql(f"ALTER TABLE delta.`{path}` RENAME COLUMN p TO part")
    insert(path, "(100, 'p1', struct(5, 'x'))")
    sql(f"DELETE FROM delta.`{path}` WHERE st.a = 1")


# Column mapping


@table("mapping-name", "columnMapping", "by name from the start: renamed, dropped, added again under the old name")
def _(path):
    create(path, "id LONG, a STRING, b STRUCT<x:INT, y:STRING>, p INT", NAME, partition="p")
    insert(path, "(1, 'a', struct(1, 'y'), 1), (2, null, null, null)")
    sql(f"ALTER TABLE delta.`{path}` RENAME COLUMN a TO c")
    sql(f"ALTER TABLE delta.`{path}` RENAME COLUMN b.x TO z")
    sql(f"ALTER TABLE delta.`{path}` DROP COLUMN c")
    sql(f"ALTER TABLE delta.`{path}` ADD COLUMN (c INT, b.x STRING)")
    insert(path, "(3, struct(3, 'y', 'new'), 1, 33)")
    sql(f"ALTER TABLE delta.`{path}` RENAME COLUMN p TO `part of it`")
    sql(f"UPDATE delta.`{path}` SET c = 5 WHERE id = 1")


@table("mapping-upgraded", "columnMapping", "turned on for a table that had files: physical names are the old names", versions=[1, 2, 4, 5, 6])
def _(path):
    create(path, "id LONG, a STRING, l ARRAY<STRUCT<q:INT>>")
    insert(path, "(1, 'a', array(struct(1)))")
    sql(f"ALTER TABLE delta.`{path}` SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name', 'delta.minReaderVersion' = '2', 'delta.minWriterVersion' = '5')")
    sql(f"ALTER TABLE delta.`{path}` RENAME COLUMN a TO id2")
    sql(f"ALTER TABLE delta.`{path}` RENAME COLUMN id TO a")
    insert(path, "(2, 'b', array(struct(2), null))")
    sql(f"ALTER TABLE delta.`{path}` RENAME COLUMN l.element.q TO r")


@table("mapping-id", "columnMapping", "by field id: names in the files do not matter", versions=[1, 2, 3, 4])
def _(path):
    create(path, "id LONG, a STRING, s STRUCT<x:INT, l ARRAY<STRUCT<y:INT>>>, m MAP<STRING, STRUCT<v:INT>>, p DATE", {"delta.columnMapping.mode": "id"}, partition="p")
    insert(path, "(1, 'a', struct(1, array(struct(1))), map('k', struct(1)), DATE'2024-01-01'), (2, null, null, null, null)")
    sql(f"ALTER TABLE delta.`{path}` RENAME COLUMN a TO b")
    sql(f"ALTER TABLE delta.`{path}` ADD COLUMN (a INT, s.z STRING)")
    insert(path, "(3, 'b', struct(3, null, 'z'), null, DATE'2024-01-01', 7)")


@table("mapping-id-statistics", "columnMapping", "many small files by field id, so that skipping by statistics shows", versions=[6])
def _(path):
    create(path, "id LONG, `na me` STRING", {"delta.columnMapping.mode": "id"})
    for i in range(5):
        insert(path, f"({i}, 's{i}')")
    sql(f"ALTER TABLE delta.`{path}` RENAME COLUMN `na me` TO id3")


# Constraints and the rest


@table("constraints", "checkConstraints", "NOT NULL (nested too) and CHECK", versions=[1, 3])
def _(path):
    create(path, "id LONG NOT NULL, s STRUCT<a:INT NOT NULL, b:INT> NOT NULL, n INT")
    insert(path, "(1, struct(1, null), 5)")
    sql(f"ALTER TABLE delta.`{path}` ADD CONSTRAINT positive CHECK (n > 0)")
    insert(path, "(2, struct(2, 2), 6)")


@table("append-only", "appendOnly", "a table that forbids changes")
def _(path):
    create(path, "id LONG", {"delta.appendOnly": "true"})
    insert(path, "(1)")
    insert(path, "(2)")


@table("column-defaults", "allowColumnDefaults", "defaults used by inserts, and changed")
def _(path):
    create(path, "id LONG, s STRING DEFAULT 'dflt', n INT DEFAULT 42", {"delta.feature.allowColumnDefaults": "supported"})
    insert(path, "(1)", "(id)")
    sql(f"ALTER TABLE delta.`{path}` ALTER COLUMN n SET DEFAULT 43")
    insert(path, "(2, default, default)")


@table("generated-columns", "generatedColumns", "columns computed from others, one of them a partition")
def _(path):
    from delta.tables import DeltaTable

    (
        DeltaTable.create(spark).location(path).addColumn("at", "TIMESTAMP").addColumn("n", "INT")
        .addColumn("day", "DATE", generatedAlwaysAs="CAST(at AS DATE)")
        .addColumn("twice", "INT", generatedAlwaysAs="n * 2").partitionedBy("day").execute()
    )
    insert(path, "(TIMESTAMP'2024-05-06 23:59:59', 1), (null, null)", "(at, n)")


@table("identity-columns", "identityColumns", "ids that the table gives")
def _(path):
    from delta.tables import DeltaTable, IdentityGenerator

    (
        DeltaTable.create(spark).location(path)
        .addColumn("id", "BIGINT", generatedAlwaysAs=IdentityGenerator(start=5, step=5))
        .addColumn("s", "STRING").execute()
    )
    insert(path, "('a'), ('b')", "(s)")
    insert(path, "('c')", "(s)")


@table("change-data-feed", "changeDataFeed", "inserts, updates, deletes and a merge, partitioned", changes=feed(1))
def _(path):
    create(path, "id LONG, s STRING, p INT", CDF, partition="p")
    insert(path, "(1, 'a', 1), (2, 'b', 1), (3, 'c', 2), (4, 'd', null)")
    sql(f"UPDATE delta.`{path}` SET s = 'u' WHERE id = 1")
    sql(f"DELETE FROM delta.`{path}` WHERE id = 3")
    sql(f"DELETE FROM delta.`{path}` WHERE p = 1 AND id = 2")
    spark.range(4, 6).selectExpr("id", "'m' AS s", "9 AS p").createOrReplaceTempView("src")
    sql(f"MERGE INTO delta.`{path}` t USING src ON t.id = src.id WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *")
    sql(f"OPTIMIZE delta.`{path}`")


@table("change-data-feed-vectors", "changeDataFeed", "with deletion vectors and column mapping", changes=feed(1), versions=[1, 2, 4, 5])
def _(path):
    create(path, "id LONG, s STRING", {**CDF, **DV, **NAME})
    insert_range(path, 0, 6, "id, concat('s', id)")
    sql(f"DELETE FROM delta.`{path}` WHERE id = 3")
    sql(f"UPDATE delta.`{path}` SET s = 'u' WHERE id = 1")
    insert(path, "(7, null)")
    sql(f"DELETE FROM delta.`{path}` WHERE id < 6")


@table("row-tracking", "rowTracking", "row ids and commit versions through updates and OPTIMIZE", versions=[1, 2, 3, 4, 5])
def _(path):
    create(path, "id LONG, s STRING", {"delta.enableRowTracking": "true"})
    insert(path, "(1, 'a'), (2, 'b')")
    insert(path, "(3, 'c')")
    sql(f"UPDATE delta.`{path}` SET s = 'u' WHERE id = 1")
    sql(f"DELETE FROM delta.`{path}` WHERE id = 2")
    sql(f"OPTIMIZE delta.`{path}`")


@table("row-tracking-vectors", "rowTracking", "with deletion vectors and column mapping", versions=[1, 2, 3])
def _(path):
    create(path, "id LONG, s STRING", {"delta.enableRowTracking": "true", **DV, **NAME})
    insert(path, "(1, 'a'), (2, 'b'), (3, 'c')")
    sql(f"UPDATE delta.`{path}` SET s = 'u' WHERE id = 1")
    sql(f"DELETE FROM delta.`{path}` WHERE id = 2")


@table("type-widening", "typeWidening", "every widening, at the top and nested, with old and new files")
def _(path):
    create(path, "a BYTE, b SHORT, c INT, d FLOAT, e DECIMAL(5,2), f DATE, g FLOAT, h STRUCT<x:BYTE>, i ARRAY<SHORT>, j MAP<BYTE, INT>, k INT, p BYTE", {"delta.enableTypeWidening": "true", "delta.feature.timestampNtz": "supported"}, partition="p")
    insert(path, "(1, 2, 3, 1.5, 1.25, DATE'2024-01-01', 7, struct(1), array(2, null), map(3, 4), 9, 1), (null, null, null, null, null, null, null, null, null, null, null, null)")
    for column, kind in (("a", "SHORT"), ("b", "INT"), ("c", "LONG"), ("d", "DOUBLE"), ("e", "DECIMAL(10,4)"), ("f", "TIMESTAMP_NTZ"), ("h.x", "INT"), ("i.element", "INT"), ("j.key", "INT"), ("j.value", "LONG"), ("k", "DECIMAL(12,1)"), ("p", "INT")):
        sql(f"ALTER TABLE delta.`{path}` ALTER COLUMN {column} TYPE {kind}")
    insert(path, "(1000, 100000, 5000000000, 1.1, 12345.6789, TIMESTAMP_NTZ'2024-01-01 12:00:00', 0.5, struct(70000), array(70000), map(70000, 5000000000), 1.5, 70000)")
    sql(f"ALTER TABLE delta.`{path}` ALTER COLUMN a TYPE LONG")


@table("clustering", "clustering", "clustered, written and optimized", versions=[1, 2, 3, 4], domains=["delta.clustering"])
def _(path):
    create(path, "a INT, b STRING, c DATE", cluster="a, c")
    insert_range(path, 0, 30, "cast(id % 6 as int), concat('s', id), date_add(DATE'2024-01-01', cast(id as int))")
    insert_range(path, 30, 60, "cast(id % 6 as int), concat('s', id), date_add(DATE'2024-01-01', cast(id as int))")
    sql(f"OPTIMIZE delta.`{path}`")
    sql(f"ALTER TABLE delta.`{path}` CLUSTER BY (b)")


@table("timestamp-ntz", "timestampNtz", "times without a zone", versions=[1, 2])
def _(path):
    create(path, "id INT, t TIMESTAMP_NTZ, l ARRAY<TIMESTAMP_NTZ>, p TIMESTAMP_NTZ", partition="p")
    insert(path, "(1, TIMESTAMP_NTZ'2024-03-31 02:30:00.123456', array(TIMESTAMP_NTZ'1960-01-01 00:00:00.5'), TIMESTAMP_NTZ'2024-01-01 01:02:03.000004'), (2, null, null, null)")
    insert(path, "(3, TIMESTAMP_NTZ'9999-12-31 23:59:59.999999', array(null), TIMESTAMP_NTZ'2024-01-01 00:00:00')")


@table("vacuum-protocol-check", "vacuumProtocolCheck", "a reader feature that changes nothing for reading")
def _(path):
    create(path, "id INT", {"delta.feature.vacuumProtocolCheck": "supported"})
    insert(path, "(1), (2)")


@table("iceberg-compat", "icebergCompatV2", "Iceberg compatibility: field ids in nested types too", versions=[1, 2])
def _(path):
    create(path, "id INT, l ARRAY<INT>, m MAP<STRING, INT>, ts TIMESTAMP", {"delta.columnMapping.mode": "name", "delta.enableIcebergCompatV2": "true"})
    insert(path, "(1, array(1), map('k', 1), TIMESTAMP'2024-01-01 00:00:00')")
    insert(path, "(2, null, null, null)")


@table("feature-dropped", "table features", "a feature added and dropped again", versions=[1, 2])
def _(path):
    create(path, "id INT", {"delta.feature.vacuumProtocolCheck": "supported", "delta.checkpointInterval": "10"})
    insert(path, "(1), (2)")
    sql(f"DELETE FROM delta.`{path}` WHERE id = 1")


@table("codecs", "compression", "files by several codecs: zstd, gzip, lz4_raw, none, snappy", versions=[1, 2, 3, 4, 5])
def _(path):
    create(path, "id INT, s STRING")
    for index, codec in enumerate(("zstd", "gzip", "lz4_raw", "none", "snappy")):
        spark.conf.set("spark.sql.parquet.compression.codec", codec)
        insert(path, f"({index}, repeat('{codec}', 20))")
    spark.conf.set("spark.sql.parquet.compression.codec", "snappy")


@table("parquet-v2-pages", "parquet", "data pages of version 2 with delta encodings", versions=[1])
def _(path):
    hadoop = spark._jsc.hadoopConfiguration()
    hadoop.set("parquet.writer.version", "PARQUET_2_0")
    create(path, "id LONG, s STRING, d DECIMAL(20,3), f DOUBLE, b BOOLEAN, l ARRAY<STRING>")
    insert_range(path, 0, 300, "id * 1000003, concat('prefix ', id), cast(id as decimal(20,3)) / 7, if(id % 5 = 0, null, id / 3), id % 2 = 0, if(id % 4 = 0, null, array(concat('e', id), null))")
    hadoop.unset("parquet.writer.version")


make_all("Spark 4.0.1, Delta 4.0.0", at, sys.argv[2:])
spark.stop()
