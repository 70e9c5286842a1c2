"""The Go program as built: its listing, a protocol's table, and one protocol from videos to scores."""

import csv
import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import tiny_benchmark
from conftest import PROTOCOLS

from liveproof_base import manifest
from liveproof_training import cli
from liveproof_training.studies import goprogram, protocol

FACES = Path(os.environ.get("LIVEPROOF_SHARED", "")) / "faces"
pytestmark = pytest.mark.skipif(not goprogram.program().is_file(), reason="bin/liveproof is not built (make build)")


def test_the_built_program_lists_what_the_tests_take_for_it():
    assert goprogram.listing() == goprogram.parse(json.loads(PROTOCOLS.read_text()))


def test_the_built_program_writes_a_protocol_of_extracted_crops(tmp_path):
    folders = list(tiny_benchmark.write(tmp_path / "crops", frames=1).values())
    goprogram.write_protocol("OCI-M", "split", folders, tmp_path / "OCI-M.csv")
    uses = manifest.read_protocol(tmp_path / "OCI-M.csv")
    assert {u.role for u in uses.values()} == {"train", "dev", "test"}
    assert {d for (d, _), u in uses.items() if u.role == "test"} == {"msu"}


def film(root: Path) -> None:
    """Every video that ROOT/plan.csv wants: a portrait that trembles, striped where it is an attack."""
    portraits = sorted(FACES.glob("*.jpg"))
    with (root / "plan.csv").open(newline="") as f:
        rows = list(csv.DictReader(f))
    for row in rows:
        width, height = int(row["width"]), int(row["height"])
        image = cv2.resize(cv2.imread(str(portraits[int(row["subject"])])), (width, width))
        image[:, ::2] = image[:, ::2] // (1 if row["pai"] == "none" else 2)
        frame = np.full((height, width, 3), 90, np.uint8)
        frame[(height - width) // 2 :][:width] = image
        path = root / row["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), float(row["rate"]), (width, height))
        for n in range(4):
            writer.write(np.roll(frame, n, axis=1))
        writer.release()


@pytest.mark.skipif(not os.environ.get("LIVEPROOF_SHARED"), reason="LIVEPROOF_SHARED is not set: no portraits to film")
def test_from_videos_to_scores_in_one_command(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(protocol, "models", lambda *args, **kwargs: {})  # exported above; it takes half the time
    root = tmp_path / "OULU-NPU"
    goprogram.call("layout", "--dataset", "oulu", "--out", str(root), "--subjects", "1/1/1", "--every", "18", "--scale", "0.25")
    film(root)
    words = [
        "protocol",
        "--name",
        "oulu-2",
        "--root",
        f"oulu={root}",
        "--out",
        str(tmp_path / "out"),
        "--score-exported",
        "none",
        *tiny_benchmark.TOY,
        "--batch",
        "2",
    ]
    assert cli.main(words) == 0
    report = json.loads((tmp_path / "out" / "oulu-2" / "result.json").read_text())
    assert report["test"]["bona_fide"] == 1 and report["test"]["attacks"] == 2 and report["test"]["frames"] > 0
    assert set(report["instrument"]) == {"print2", "display2"}, "protocol 2 tests on the instruments that training has not seen"
    assert report["demo"] is True and "rendered data: demo" in capsys.readouterr().out
    assert cli.main(words) == 0, "a second call finds everything done"
