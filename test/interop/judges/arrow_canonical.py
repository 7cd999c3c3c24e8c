"""Arrow data in the canonical form that README.md of this folder describes."""
import itertools
import json
import struct

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as t


def text_of(part):
    return json.dumps(part, ensure_ascii=False, separators=(",", ":"))


def cell(scalar):
    kind = scalar.type
    if not scalar.is_valid:
        return None
    if t.is_dictionary(kind):
        return cell(scalar.value)
    if t.is_struct(kind):
        return [cell(scalar[index]) for index in range(kind.num_fields)]
    if t.is_map(kind):
        entries = scalar.values
        pairs = [[cell(entries.field(0)[i]), cell(entries.field(1)[i])] for i in range(len(entries))]
        return sorted(pairs, key=text_of)
    if is_list(kind):
        return [cell(item) for item in scalar.values]
    if t.is_timestamp(kind):
        factor = {"s": 1_000_000, "ms": 1000, "us": 1}.get(kind.unit)
        return str(scalar.value * factor if factor else scalar.value // 1000)
    if t.is_date(kind):
        return str(scalar.value)
    if t.is_decimal(kind):
        return f"{scalar.as_py():.{kind.scale}f}"
    if t.is_float64(kind):
        return float_text(scalar.as_py(), ">d")
    if t.is_float32(kind):
        return float_text(scalar.as_py(), ">f")
    value = scalar.as_py()
    if isinstance(value, bytes):
        return value.hex()
    return value if isinstance(value, bool) else str(value)


def is_list(kind):
    return t.is_list(kind) or t.is_large_list(kind) or t.is_list_view(kind) or t.is_large_list_view(kind)


def float_text(number, layout):
    return "NaN" if number != number else struct.pack(layout, number).hex()


def reading(table, request):
    """The rows of an answer; those without the column `notNull` are counted only."""
    column = request.get("notNull")
    if column is None:
        return {"rows": rows(table), "total": table.num_rows}
    there = pc.is_valid(table[column]).to_pylist()
    return {"rows": rows(table, there), "total": table.num_rows}


def rows(table, chosen=None):
    """All rows, or those where `chosen` is true, in the order of their texts."""
    which = itertools.repeat(True) if chosen is None else chosen
    columns = [[cell(item) for item in itertools.compress(column, which)] for column in table.columns]
    return sorted((list(row) for row in zip(*columns)), key=text_of)


NAMES = {
    pa.int8(): "byte",
    pa.int16(): "short",
    pa.int32(): "integer",
    pa.int64(): "long",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.bool_(): "boolean",
    pa.date32(): "date",
}


def type_name(kind):
    if kind in NAMES:
        return NAMES[kind]
    if t.is_struct(kind):
        return "struct<" + ",".join(field_name(kind.field(i)) for i in range(kind.num_fields)) + ">"
    if t.is_map(kind):
        return f"map<{type_name(kind.key_type)},{type_name(kind.item_type)}>"
    if is_list(kind):
        return f"array<{type_name(kind.value_type)}>"
    if t.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if t.is_timestamp(kind):
        return "timestamp_ntz" if kind.tz is None else "timestamp"
    if t.is_string(kind) or t.is_large_string(kind) or t.is_string_view(kind):
        return "string"
    return "binary"


def field_name(field):
    return json.dumps(field.name, ensure_ascii=False) + ":" + type_name(field.type)


def delta_type(kind):
    """The same text from a type in Delta's JSON form."""
    if isinstance(kind, str):
        return kind
    if kind["type"] == "struct":
        return "struct<" + ",".join(delta_field(field) for field in kind["fields"]) + ">"
    if kind["type"] == "array":
        return f"array<{delta_type(kind['elementType'])}{'' if kind['containsNull'] else '!'}>"
    value = delta_type(kind["valueType"]) + ("" if kind["valueContainsNull"] else "!")
    return f"map<{delta_type(kind['keyType'])},{value}>"


def delta_field(field):
    name = json.dumps(field["name"], ensure_ascii=False)
    return f"{name}:{delta_type(field['type'])}{'' if field['nullable'] else '!'}"
