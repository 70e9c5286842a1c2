"""The paper's tables: published digits, and what a toy `protocol` measured beside them."""

import csv
import json
import os
import re
from pathlib import Path

import pytest
import tiny_benchmark

from liveproof_training import cli
from liveproof_training.studies import goprogram, papertables, tables

PAPER = Path(os.environ.get("LIVEPROOF_SHARED", "")) / "paper.txt"


@pytest.fixture(scope="module")
def toy(tmp_path_factory, go_listing):
    """OUT after `protocol --name OMI-C`, without the export."""
    out = tmp_path_factory.mktemp("toy")
    tiny_benchmark.write(out / "extracted", frames=1)
    tiny_benchmark.write_protocol(out / "OMI-C" / "protocol.csv", target="casia")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("liveproof_training.studies.protocol.models", lambda *args, **kwargs: {})
        assert cli.main(["protocol", "--name", "OMI-C", "--out", str(out), "--score-exported", "none", *tiny_benchmark.TOY]) == 0
    return out


@pytest.fixture
def whole(toy, tmp_path):
    """Results of every protocol, made from the toy run's: fold k of protocol n has ACER 1 % n + 0.1 % k."""
    result = json.loads((toy / "OMI-C" / "result.json").read_text())
    for n, (name, folds) in enumerate((name, goprogram.listing().find(name).folds) for name in (*papertables.INTRA, *papertables.CROSS)):
        for k, fold in enumerate(folds):
            changed = {**result, "protocol": name, "realistic": {**result["realistic"], "acer": (10 * n + k) / 1000}}
            (tmp_path / fold).mkdir()
            (tmp_path / fold / "result.json").write_text(json.dumps(changed))
    return tmp_path


def rows(folder: Path, name: str) -> list[list[str]]:
    with (folder / f"{name}.csv").open(newline="") as f:
        return list(csv.reader(f))


def test_a_toy_run_stands_beside_the_published_rows_and_what_is_missing_is_said(toy, tmp_path, capsys):
    capsys.readouterr()
    assert cli.main(["tables", "--runs", str(toy), "--out", str(tmp_path)]) == 0
    said, result = capsys.readouterr().out, json.loads((toy / "OMI-C" / "result.json").read_text())
    ideal, auc = f"{100 * result['idealised']['hter']:.2f}", f"{100 * result['test']['auc']:.2f}"
    assert f"| This repository, idealised | resnet18 | – | – | {ideal} | {auc} | – | – | – | – |" in said
    assert "| Ours | Res-18 | 5.41 | 98.85 | 10.05 | 94.27 | 8.62 | 97.60 | 11.42 | 95.52 |" in said
    assert "| low quality: casia/A, 640×480 | 93.73 | – |" in said
    assert f"* oulu-3: missing, it is made by\n`python3 -m liveproof_training protocol --name oulu-3 --root oulu=DIR --out {toy}`" in said
    assert "OMI-C: missing" not in said and "init random (auto)" in said and "steps 2 (0)" in said
    assert (tmp_path / "tables.md").read_text() == said
    assert rows(tmp_path, "table-2")[-1][0] == "This repository, realistic" and len(rows(tmp_path, "table-2")) == 1 + 15 + 2


def test_folds_are_averaged_and_every_folder_has_its_rows(toy, whole, tmp_path, capsys):
    (whole / "oulu-4.6" / "result.json").unlink()
    out = tmp_path / "tables"
    assert cli.main(["tables", "--runs", str(whole), str(toy), "--out", str(out)]) == 0
    first, second = rows(out, "table-1")[-2:]
    assert first == [f"This repository ({whole})", "0.00", "1.00", "2.25±0.17", "–"] and second[1:] == ["–"] * 4
    assert "oulu-4: 5 of 6 folds are done, the rest comes by" in capsys.readouterr().out
    parts = {row[1]: row for row in rows(out, "table-1-parts") if str(whole) in row[0]}
    assert parts["Protocol 3"][4] == "2.25±0.17" and all("±" in value for value in parts["Protocol 3"][2:])
    assert [row[1] for row in rows(out, "section-3.4")] == ["Paper", "93.73", "94.79", "96.47"]


def test_the_auc_of_each_capture_device_of_casia_is_shown(whole):
    path = whole / "OMI-C" / "result.json"
    result = json.loads(path.read_text())
    result["camera"] = {"casia/A": {"auc": 0.9}, "casia/B": {"auc": 0.91}, "casia/HR": {"auc": None}}
    path.write_text(json.dumps(result))
    table = tables.quality([tables.Runs.read(whole, goprogram.listing())])
    assert [row[-1] for row in table.rows] == ["90.00", "91.00", "–"]


def test_an_arm_of_the_ablation_is_named_in_its_row_and_its_command(whole):
    for path in whole.glob("*/result.json"):
        result = json.loads(path.read_text())
        result["settings"]["run"]["arm"] = "no-pe"
        path.write_text(json.dumps(result))
    (whole / "OCI-M" / "result.json").unlink()
    runs = tables.Runs.read(whole, goprogram.listing())
    assert runs.label(False) == "This repository w/o PE" and "--arm no-pe --out" in runs.missing()[0]


def test_a_folder_without_results_is_refused(tmp_path, capsys, go_listing):
    assert cli.main(["tables", "--runs", str(tmp_path)]) == 1
    assert "no result.json of oulu-1" in capsys.readouterr().err


@pytest.mark.skipif(not PAPER.is_file(), reason="LIVEPROOF_SHARED has no paper.txt to compare the digits with")
def test_the_published_rows_are_those_of_the_paper():
    lines = PAPER.read_text().splitlines()
    for method, values in papertables.TABLE_1.items():
        assert "\t".join([method, *values]) in lines
    for method, values in papertables.TABLE_2.items():
        assert "\t".join([*method, *values]) in lines
    for words, (auc, _, _) in papertables.QUALITY.items():
        assert re.search(rf"{words}[a-z ]* \({auc}% AUC\)", PAPER.read_text())
