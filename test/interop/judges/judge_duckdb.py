"""DuckDB's delta extension (delta-kernel-rs) as a judge; the extension comes in a Python package."""
import glob
import importlib.util
import os

import duckdb

from arrow_canonical import field_name, rows
from protocol import serve


def connect():
    package = os.path.dirname(importlib.util.find_spec("duckdb_ext_delta").origin)
    (extension,) = glob.glob(os.path.join(package, "**", "delta.duckdb_extension"), recursive=True)
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true", "threads": "1"})
    connection.execute(f"LOAD '{extension}'")
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def answer(path, version):
    connection = connect()
    try:
        at = "" if version is None else f", version => {int(version)}"
        source = path.replace("'", "''")
        table = connection.execute(f"SELECT * FROM delta_scan('{source}'{at})").fetch_arrow_table()
        return {"schema": [field_name(field) for field in table.schema], "rows": rows(table)}
    finally:
        connection.close()


serve(answer)
