"""A manifest in memory: its rows as read, at a price of bytes."""

import dataclasses
import tracemalloc

import pytest
import tables

from liveproof_base import columns, manifest

COUNT = 3000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("rows")
    places = {f.name: "123.25" for f in dataclasses.fields(manifest.Row) if f.type == "float | None"}
    rows = [tables.row(crop=f"crops/v{i // 10}/{i:06}.png", video=f"v{i // 10}", frame=i % 10, sha256=f"{i:064}", **places) for i in range(COUNT)]
    rows[7] |= {"frame": "", "box_x1": "", "instrument": "größe"}
    tables.write_manifest(out, rows)
    return out


def test_a_row_of_a_manifest_costs_bytes_not_kilobytes(folder):
    """Objects of 31 fields took 2670 bytes each."""
    tracemalloc.start()
    try:
        rows = manifest.read(folder)
        kept = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert len(rows) == COUNT and kept < 450 * COUNT


def test_rows_are_as_they_were_written(folder):
    rows = manifest.read(folder)
    assert rows[8] == rows[8 - COUNT] == list(rows)[8] and isinstance(rows[8], manifest.Row)
    assert (rows[8].crop, rows[8].frame, rows[8].box_x1, rows[8].label) == ("crops/v0/000008.png", 8, 123.25, 1) and isinstance(rows[8].frame, int)
    assert (rows[7].frame, rows[7].box_x1, rows[7].instrument) == (None, None, "größe")
    assert rows.column("crop")[-1] == "crops/v299/002999.png" and rows.column("video")[3] is rows.column("video")[4]
    with pytest.raises(IndexError):
        rows[COUNT]


def test_some_rows_and_rows_of_several_tables(folder):
    rows = manifest.read(folder)
    some = rows.take([7, 20])
    assert list(some) == [rows[7], rows[20]] and len(some.columns["crop"].text) == 2 * len("crops/v0/000007.png")
    both = columns.Joined([some, rows.take([0])])
    assert len(both) == 3 and [row.crop for row in both] == both.column("crop") and both[2] == both[-1] == rows[0]
    with pytest.raises(IndexError):
        both[3]
