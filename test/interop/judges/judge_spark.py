"""Spark as a judge: judge_spark.py JARS"""
import sys

from protocol import serve
from spark_canonical import open_spark, table_reading

spark = open_spark(sys.argv[1])


def answer(request):
    return table_reading(spark, request)


serve(answer)
