"""Times pyarrow on a Parquet file of pictures: parquet_rate.py IN OUT RUNS prints seconds of every run as JSON.

Written are the rows that the file has, as Python's own objects, with the same row groups, no compression of pictures and
Zstandard for the plain columns; read are rows as Python's own objects, and, besides, as Arrow's columns.
"""

import json
import sys
import time

import pyarrow
import pyarrow.parquet as parquet

source, target, runs = sys.argv[1], sys.argv[2], int(sys.argv[3])
file = parquet.ParquetFile(source)
schema = file.schema_arrow
groups = [file.metadata.row_group(index).num_rows for index in range(file.num_row_groups)]
plain = [field.name for field in schema if not pyarrow.types.is_nested(field.type)]


def write():
    with open(target, "wb") as sink:
        compression = {name: "zstd" if name in plain else "none" for name in column_paths}
        with parquet.ParquetWriter(
            sink, schema, compression=compression, use_dictionary=plain, write_statistics=plain
        ) as writer:
            at = 0
            for count in groups:
                writer.write_batch(pyarrow.RecordBatch.from_pylist(rows[at : at + count], schema))
                at += count


def read():
    bytes = 0
    for batch in parquet.ParquetFile(source).iter_batches(batch_size=500):
        for row in batch.to_pylist():
            bytes += len(row["image"]["bytes"])
    return bytes


def read_columns():
    return sum(batch.nbytes for batch in parquet.ParquetFile(source).iter_batches(batch_size=500))


column_paths = [file.metadata.row_group(0).column(index).path_in_schema for index in range(file.metadata.num_columns)]
times = {"read": [], "read columns": [], "write": []}


def time_of(name, work):
    # The first two are not counted: memory and files are there from then on.
    for run in range(runs + 2):
        start = time.perf_counter()
        work()
        if run >= 2:
            times[name].append(time.perf_counter() - start)


time_of("read", read)
time_of("read columns", read_columns)
rows = file.read().to_pylist()
time_of("write", write)
print(json.dumps(times))
