"""Makes a Delta table of the Parquet files in a directory, with deltalake: convert.py DIRECTORY [optimize]"""
import sys

from deltalake import DeltaTable, convert_to_deltalake

convert_to_deltalake(sys.argv[1])
if sys.argv[2:] == ["optimize"]:
    DeltaTable(sys.argv[1]).optimize.compact()
