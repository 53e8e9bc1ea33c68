"""The quick way to read delimited text: a block of lines by Arrow's parser, if each line is one complete record.

Where a value has a line end in it, a line is blank or a record has another number of values, Python's csv reads the
block, and says where.
"""

import pyarrow as pa
import pyarrow.csv


def regular_columns(block: bytes, separator: str, width: int) -> list[pa.Array] | None:
    """The columns of a block of whole lines, null where a value is empty; None if it has to be read line by line."""
    lines = block.count(b"\n") + (not block.endswith(b"\n"))
    if width == 1 or block.count(b"\r") != block.count(b"\r\n") or b"\0" in block:
        return None
    names = list(map(str, range(width)))
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(block),
            pyarrow.csv.ReadOptions(use_threads=False, block_size=len(block) + 1, column_names=names),
            pyarrow.csv.ParseOptions(delimiter=separator),
            pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), null_values=[""], strings_can_be_null=True
            ),
        )
    except pa.ArrowInvalid:
        return None
    if table.num_rows != lines:
        return None
    return [column.combine_chunks() for column in table.columns]
