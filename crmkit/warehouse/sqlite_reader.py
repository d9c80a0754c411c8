"""A program that reads a SQLite file through ADBC and writes Arrow streams to stdout.

It is run by :mod:`crmkit.warehouse.reading` as a process of its own, never imported there: ADBC
brings its own copy of SQLite, and two copies in one process destroy each other's POSIX locks. The
one that closes first then believes itself alone and deletes the write-ahead log under the other,
whose later commits are lost (https://sqlite.org/howtocorrupt.html, section 2.2.1).

All queries see one state of the file. Each line on stdin is a JSON object with ``query`` and
``batch_rows``; the answer is an Arrow stream without the query's first row, which only tells ADBC
the types. On an error the program says so on stderr and exits 1.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import adbc_driver_sqlite.dbapi
import pyarrow as pa


def main() -> int:
    """Answers queries until stdin ends."""
    out = sys.stdout.buffer
    try:
        with adbc_driver_sqlite.dbapi.connect(sys.argv[1]) as connection:
            for line in sys.stdin:
                asked = json.loads(line)
                with connection.cursor() as cursor:
                    answer(cursor, asked["query"], asked["batch_rows"], out)
    except (adbc_driver_sqlite.dbapi.Error, OSError, pa.ArrowException) as error:
        print(str(error).splitlines()[0], file=sys.stderr)
        return 1
    return 0


def answer(cursor: Any, query: str, batch_rows: int, out: Any) -> None:
    """Writes the rows of one query as a stream."""
    cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": batch_rows})
    cursor.execute(query)
    reader = cursor.fetch_record_batch()
    with pa.ipc.new_stream(out, reader.schema) as stream:
        for batch in without_first_row(reader):
            stream.write_batch(batch)
    out.flush()


def without_first_row(batches: Any) -> Iterator[pa.RecordBatch]:
    """The batches less the row that only tells the types."""
    skip = 1
    for batch in batches:
        if batch.num_rows > skip:
            yield batch.slice(skip)
        skip = 0


if __name__ == "__main__":
    sys.exit(main())
