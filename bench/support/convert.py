"""Makes a Delta table of the Parquet files in a directory, with deltalake."""
import sys

from deltalake import convert_to_deltalake

convert_to_deltalake(sys.argv[1])
