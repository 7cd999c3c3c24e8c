"""deltalake (delta-rs) as a judge: its DataFusion reader."""
import json

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder

from arrow_canonical import delta_field, reading
from protocol import serve


def answer(request):
    table = DeltaTable(request["path"], version=request.get("version"))
    query = QueryBuilder().register("t", table)
    batches = query.execute("SELECT * FROM t")
    schema = json.loads(table.schema().to_json())["fields"]
    return {"schema": [delta_field(field) for field in schema], **reading(pa.table(batches.read_all()), request)}


if __name__ == "__main__":
    serve(answer)
