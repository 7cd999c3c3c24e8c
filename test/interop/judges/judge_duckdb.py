"""DuckDB's delta extension (delta-kernel-rs) as a judge; the extension comes in a Python package."""
import glob
import os

import duckdb
import duckdb_ext

from arrow_canonical import field_name, reading
from protocol import serve


def connect():
    (package,) = duckdb_ext.__path__
    (extension,) = glob.glob(os.path.join(package, "**", "delta.duckdb_extension"), recursive=True)
    connection = duckdb.connect(config={"allow_unsigned_extensions": "true", "threads": "1"})
    connection.execute(f"LOAD '{extension}'")
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def answer(request):
    version = request.get("version")
    connection = connect()
    try:
        at = "" if version is None else f", VERSION {int(version)}"
        source = request["path"].replace("'", "''")
        connection.execute(f"ATTACH '{source}' AS t (TYPE delta{at})")
        table = connection.execute("SELECT * FROM t").fetch_arrow_table()
        return {"schema": [field_name(field) for field in table.schema], **reading(table, request)}
    finally:
        connection.close()


serve(answer)
