"""Spark as a judge: judge_spark.py JARS"""
import sys

from protocol import serve
from spark_canonical import open_spark, reading

spark = open_spark(sys.argv[1])


def answer(path, version):
    reader = spark.read.format("delta")
    if version is not None:
        reader = reader.option("versionAsOf", version)
    return reading(reader.load(path))


serve(answer)
