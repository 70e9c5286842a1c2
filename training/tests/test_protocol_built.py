"""The Go program as built: its listing, a protocol's table, and one protocol from videos to scores."""

import json

import pytest
import tiny_benchmark
from conftest import PROTOCOLS

from liveproof_base import manifest
from liveproof_render import cli as render
from liveproof_training import cli
from liveproof_training.studies import goprogram, protocol

pytestmark = pytest.mark.skipif(not goprogram.program().is_file(), reason="bin/liveproof is not built (make build)")


def test_the_built_program_lists_what_the_tests_take_for_it():
    assert goprogram.listing() == goprogram.parse(json.loads(PROTOCOLS.read_text()))


def test_the_built_program_writes_a_protocol_of_extracted_crops(tmp_path):
    folders = list(tiny_benchmark.write(tmp_path / "crops", frames=1).values())
    goprogram.write_protocol("OCI-M", "split", folders, tmp_path / "OCI-M.csv")
    uses = manifest.read_protocol(tmp_path / "OCI-M.csv")
    assert {u.role for u in uses.values()} == {"train", "dev", "test"}
    assert {d for (d, _), u in uses.items() if u.role == "test"} == {"msu"}


def test_from_nothing_to_scores_without_any_data(tmp_path, capsys, monkeypatch):
    """The recipe of docs/training.md in small: faces are drawn, videos filmed, crops extracted, a model is trained and judged."""
    monkeypatch.setattr(protocol, "models", lambda *args, **kwargs: {})  # exported above; it takes half the time
    monkeypatch.delenv("LIVEPROOF_SHARED", raising=False)
    root = tmp_path / "OULU-NPU"
    goprogram.call("layout", "--dataset", "oulu", "--out", str(root), "--subjects", "1/1/1", "--every", "18", "--scale", "0.25")
    assert render.main(["portraits", "--out", str(tmp_path / "faces"), "--count", "24"]) == 0
    assert render.main(["dataset", "--root", str(root), "--shared", str(tmp_path), "--frames", "4", "--workers", "2"]) == 0
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
