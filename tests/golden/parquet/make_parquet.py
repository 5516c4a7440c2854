"""Writes the small Parquet files beside it, and what their rows are as JSON lines.

    python tests/golden/parquet/make_parquet.py

Needs pyarrow; versions.json says which version did it.
"""

import datetime
import decimal
import json
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).parent


def types():
    message = pa.struct([("role", pa.string()), ("content", pa.string())])
    schema = pa.schema([
        ("text", pa.string()), ("large", pa.large_string()), ("i8", pa.int8()),
        ("i64", pa.int64()), ("u64", pa.uint64()), ("f32", pa.float32()), ("f64", pa.float64()),
        ("flag", pa.bool_()), ("tags", pa.list_(pa.string())),
        ("messages", pa.list_(message)), ("nested", pa.struct([("a", pa.list_(pa.list_(pa.int32())))])),
        ("map", pa.map_(pa.string(), pa.int32())), ("nothing", pa.null()),
        ("day", pa.date32()), ("money", pa.decimal128(9, 2)), ("bytes", pa.binary()),
    ])  # fmt: skip
    rows = [
        {"text": "Grüße\n\0 \"你好\" 🙂", "large": "x" * 3000, "i8": -128, "i64": -(2**63),
         "u64": 2**64 - 1, "f32": 0.5, "f64": -1.25e-300, "flag": True, "tags": ["a", "", None],
         "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": None}],
         "nested": {"a": [[1, 2], [], [3]]}, "map": {"x": 1, "y": None}, "nothing": None,
         "day": datetime.date(2024, 2, 29), "money": decimal.Decimal("12.50"), "bytes": b"text"},
        {name: None for name in schema.names},
        {"text": "", "large": "", "i8": 127, "i64": 2**63 - 1, "u64": 0, "f32": -0.0,
         "f64": 1e308, "flag": False, "tags": [], "messages": [], "nested": {"a": None},
         "map": {}, "nothing": None, "day": datetime.date(1969, 12, 31),
         "money": decimal.Decimal("-0.01"), "bytes": b""},
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows, schema), HERE / "types.parquet")
    plain = json.dumps(rows, default=lambda x: x.decode() if isinstance(x, bytes) else str(x))
    for row in json.loads(plain):
        yield json.dumps(row, ensure_ascii=False)


def groups():
    """1,000 rows in ten groups; the column repeats, so it is stored by a dictionary."""
    table = pa.table({"n": list(range(1000)), "text": [f"row {i % 7}" for i in range(1000)]})
    for codec in ("none", "snappy", "gzip", "zstd", "lz4", "brotli"):
        path = HERE / f"{codec}.parquet"
        pq.write_table(table, path, row_group_size=100, compression=codec)
    pq.write_table(table, HERE / "pages2.parquet", row_group_size=500, data_page_version="2.0",
                   compression="zstd", use_dictionary=False, data_page_size=256,
                   column_encoding={"n": "DELTA_BINARY_PACKED", "text": "DELTA_BYTE_ARRAY"})  # fmt: skip


def odd():
    pq.write_table(pa.table({"text": ["fine", "also"], "image": [b"\xff\xd8", b"\x00"]}),
                   HERE / "binary.parquet")  # fmt: skip
    pq.write_table(pa.table({"text": pa.array([], pa.string())}), HERE / "empty.parquet")
    numbers = pa.table({"x": [float("nan"), float("inf"), 1.0]})
    pq.write_table(numbers, HERE / "not_finite.parquet")


def main():
    (HERE / "types.jsonl").write_text("".join(row + "\n" for row in types()), encoding="utf-8")
    groups()
    odd()
    (HERE / "versions.json").write_text(json.dumps({"pyarrow": pa.__version__}) + "\n")


if __name__ == "__main__":
    main()
