"""Writes test/parquet/fixtures: small files of all types, encodings, codecs and page versions, and their rows as JSON.

    python bench/parity/parquet_fixtures.py        needs pyarrow

In the JSON, bytes are {"bytes": base64}, times {"date": ISO 8601} to the millisecond, whole numbers of 64 bits text.
"""

import base64
import datetime
import decimal
import json
import random
import struct
import uuid
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

folder = Path(__file__).parents[2] / "test/parquet/fixtures"
folder.mkdir(parents=True, exist_ok=True)
random.seed(7)
ROWS = 45
UTC = datetime.timezone.utc


def column(type, make, null=True):
    """Values of which a fifth are null, with runs of equal ones."""
    values = []
    for _ in range(ROWS):
        if values and random.random() < 0.3:
            values.append(values[-1])
        else:
            values.append(None if null and random.random() < 0.2 else make())
    return pa.array(values, type)


whole = lambda bits, signed=True: (
    lambda: random.choice([0, 1, (1 << bits - signed) - 1, -signed * (1 << bits - 1), random.getrandbits(bits - 1)])
)
word = lambda: "".join(random.choice(["a", "b", "é", "日", "🙂", " "]) for _ in range(random.randrange(6)))
moment = lambda: datetime.datetime(1960 + random.randrange(90), 3, 4, 5, 6, 7, random.randrange(1000) * 1000)
half = lambda: struct.unpack("e", struct.pack("e", random.uniform(-9, 9)))[0]
number = lambda: random.choice([0.0, -1.5, 1e300, random.random()])
small = lambda: struct.unpack("f", struct.pack("f", random.uniform(-1e3, 1e3)))[0]
money = lambda digits: lambda: decimal.Decimal(random.randrange(-(10**digits), 10**digits)).scaleb(-2)
some = lambda make, most=4: lambda: [make() for _ in range(random.randrange(most))]
maybe = lambda make: lambda: None if random.random() < 0.2 else make()
box = lambda: [small() for _ in range(4)]
region = lambda: {"text": maybe(word)(), "xyxy": box(), "words": maybe(some(maybe(word)))()}

ints = {f"int{bits}": column(getattr(pa, f"int{bits}")(), whole(bits)) for bits in (8, 16, 32, 64)}
uints = {f"uint{bits}": column(getattr(pa, f"uint{bits}")(), whole(bits, False)) for bits in (8, 16, 32, 64)}
texts = {
    "string": column(pa.string(), word),
    "binary": column(pa.binary(), lambda: word().encode()),
    "fixed": column(pa.binary(3), lambda: random.randbytes(3)),
}
floats = {"float": column(pa.float32(), small), "double": column(pa.float64(), number)}
types = {
    "bool": column(pa.bool_(), lambda: random.random() < 0.5),
    **ints,
    **uints,
    **floats,
    **texts,
    "required": column(pa.int32(), whole(32), null=False),
    "a.name with dots": column(pa.large_string(), word),
    "half": column(pa.float16(), half),
    "enum": column(pa.string(), lambda: random.choice(["web", "gold"])).dictionary_encode(),
    "uuid": pa.ExtensionArray.from_storage(pa.uuid(), column(pa.binary(16), lambda: uuid.UUID(int=random.getrandbits(128)).bytes)),
    "json": pa.ExtensionArray.from_storage(pa.json_(), column(pa.string(), lambda: json.dumps({"a": [1, word()]}))),
    "date": column(pa.date32(), lambda: moment().date()),
    "time_ms": column(pa.time32("ms"), lambda: moment().time()),
    "time_us": column(pa.time64("us"), lambda: moment().time()),
    **{f"at_{unit}": column(pa.timestamp(unit), moment) for unit in ("ms", "us", "ns")},
    "at_utc": column(pa.timestamp("us", "UTC"), lambda: moment().replace(tzinfo=UTC)),
    "decimal_short": column(pa.decimal128(7, 2), money(6)),
    "decimal": column(pa.decimal128(20, 2), money(15)),
    "decimal_wide": column(pa.decimal256(50, 2), money(15)),
    "nothing": pa.nulls(ROWS, pa.string()),
}
nested = {
    "captions": column(pa.list_(pa.string()), some(maybe(word))),
    "image": column(pa.struct({"bytes": pa.binary(), "path": pa.string()}), lambda: {"bytes": maybe(lambda: word().encode())(), "path": maybe(word)()}),
    "xyxy": column(pa.list_(pa.float32(), 4), box, null=False),
    "deep": column(pa.list_(pa.list_(pa.int32())), some(maybe(some(maybe(whole(32)))))),
    "regions": column(
        pa.list_(pa.struct({"text": pa.string(), "xyxy": pa.list_(pa.float32()), "words": pa.list_(pa.string())})),
        some(maybe(region)),
    ),
    "map": column(pa.map_(pa.string(), pa.int32()), lambda: [(f"k{i}", maybe(whole(32))()) for i in range(random.randrange(4))]),
    "maps": column(pa.list_(pa.map_(pa.string(), pa.list_(pa.int32()))), some(lambda: [("k", some(whole(32))())])),
    "within": column(pa.struct({"a": pa.struct({"b": pa.list_(pa.int64())}), "c": pa.bool_()}), lambda: {"a": maybe(lambda: {"b": maybe(some(whole(64)))()})(), "c": True}),
    "empty": column(pa.list_(pa.string()), list),
}


def plain(value, type):
    if value is None:
        return None
    if isinstance(type, pa.JsonType):
        return json.loads(value)
    if isinstance(type, pa.UuidType):
        return str(value)
    if pa.types.is_dictionary(type):
        return plain(value, type.value_type)
    if pa.types.is_map(type):
        return {key: plain(one, type.item_type) for key, one in value}
    if pa.types.is_list(type) or pa.types.is_fixed_size_list(type):
        return [plain(one, type.value_type) for one in value]
    if pa.types.is_struct(type):
        return {field.name: plain(value[field.name], field.type) for field in type}
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if pa.types.is_time(type):
        micros = ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond
        return micros // 1000 if type == pa.time32("ms") else str(micros)
    if isinstance(value, datetime.datetime):
        return {"date": value.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"}
    if isinstance(value, datetime.date):
        return {"date": value.isoformat() + "T00:00:00.000Z"}
    if isinstance(value, decimal.Decimal):
        return float(value)
    return str(value) if pa.types.is_int64(type) or pa.types.is_uint64(type) else value


def write(name, columns, **options):
    table = pa.table(columns, pa.schema([pa.field(key, value.type, nullable=value.null_count > 0) for key, value in columns.items()]))
    small_pages = {"row_group_size": 20, "data_page_size": 64, "write_batch_size": 8}
    pq.write_table(table, folder / f"{name}.parquet", **{"compression": "none", **small_pages, **options})
    rows = [
        {key: plain(value, columns[key].type) for key, value in row.items()}
        for row in table.to_pylist(maps_as_pydicts=None)
    ]
    # Both versions of the pages hold the same.
    (folder / f"{name.removesuffix('-1.0').removesuffix('-2.0')}.json").write_text(json.dumps(rows, ensure_ascii=False) + "\n")


for version in ("1.0", "2.0"):
    write(f"types-{version}", types, data_page_version=version)
    write(f"nested-{version}", nested, data_page_version=version)
    for codec in ("snappy", "gzip", "brotli", "zstd", "lz4"):
        columns = {name: {**types, **nested}[name] for name in ("string", "int32", "nothing", "image", "captions")}
        write(f"{codec}-{version}", columns, data_page_version=version, compression=codec)
    encodings = {
        "plain": ("PLAIN", {**types, **nested}),
        "delta": ("DELTA_BINARY_PACKED", {name: {**ints, **uints}[name] for name in ("int32", "int64", "uint32", "uint64")}),
        "delta-lengths": ("DELTA_LENGTH_BYTE_ARRAY", {name: texts[name] for name in ("string", "binary")}),
        "delta-bytes": ("DELTA_BYTE_ARRAY", texts),
        "split": ("BYTE_STREAM_SPLIT", {**floats, "int32": ints["int32"], "int64": ints["int64"], "fixed": texts["fixed"], "half": types["half"]}),
    }
    for name, (encoding, columns) in encodings.items():
        how = {} if encoding == "PLAIN" else {"column_encoding": encoding}
        write(f"{name}-{version}", columns, use_dictionary=False, data_page_version=version, **how)
    write(f"runs-{version}", {"bool": types["bool"]}, use_dictionary=False, data_page_version=version, column_encoding="RLE")
write("int96", {"at": types["at_us"]}, use_deprecated_int96_timestamps=True)
write("decimal-integers", {name: types[name] for name in ("decimal_short", "decimal")}, store_decimal_as_integer=True)
write("old-lists", {name: nested[name] for name in ("captions", "deep")}, use_compliant_nested_type=False)
