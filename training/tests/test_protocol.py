"""One protocol at toy size: from tables of crops to an exported model and its scores."""

import csv
import json

import pytest
import tiny_benchmark
from conftest import PROTOCOLS

from liveproof_base import manifest
from liveproof_render import media
from liveproof_training import cli
from liveproof_training.evaluation import scoring
from liveproof_training.loading import pack
from liveproof_training.studies import goprogram, protocol


@pytest.fixture(scope="module")
def finished(tmp_path_factory, go_listing):
    """OUT after `protocol --name OCI-M` on extracted crops; the table that Go would write is there already."""
    out = tmp_path_factory.mktemp("protocol")
    tiny_benchmark.write(out / "extracted", frames=1)
    tiny_benchmark.write_protocol(out / "OCI-M" / "protocol.csv")
    (out / "extracted" / "msu" / manifest.RENDERED).touch()
    assert cli.main(command(out)) == 0
    return out


def command(out) -> list[str]:
    return ["protocol", "--name", "OCI-M", "--out", str(out), "--force-export", *tiny_benchmark.TOY]  # two steps: int8 may differ


def test_from_crops_to_an_exported_model_and_scores(finished):
    out = finished / "OCI-M"
    result = json.loads((out / "result.json").read_text())
    assert result["demo"] is True and result["population"] == "split"
    assert result["test"]["videos"] == 6 and result["test"]["without_crops"] == ["msu/test_05_replay"]
    assert result["realistic"]["threshold"] is not None and result["settings"]["domains"]["adversary"] == "on"
    files = {p: out / f for p, f in result["models"].items()}
    assert set(files) == {"fp32", "fp16", "int8"} and all(f.is_file() for f in files.values())
    assert scoring.threshold(files["fp32"]) == pytest.approx(scoring.threshold(out / "run" / "final.pt"), abs=1e-4)
    exported = json.loads((out / "report-int8" / "report.json").read_text())
    assert exported["model_file"]["file"] == files["int8"].name and exported["test"]["videos"] == 6
    with (out / "report" / "scores.csv").open(newline="") as f:
        rows = list(csv.DictReader(f))
    assert {r["role"] for r in rows} == {"dev", "test"} and {r["dataset"] for r in rows if r["role"] == "test"} == {"msu"}
    assert [r["score"] for r in rows if r["frames"] == "0"] == ["0.000000"]


def test_the_summary_of_a_single_fold_has_its_rates(finished):
    summary, result = (json.loads((finished / name).read_text()) for name in ("OCI-M.json", "OCI-M/result.json"))
    assert summary["folds"] == 1 and summary["auc"] == {"n": 1, "mean": result["test"]["auc"], "std0": 0.0, "std1": 0.0}
    assert summary["hter"]["mean"] == result["realistic"]["hter"] and summary["hter_idealised"]["mean"] == result["idealised"]["hter"]
    assert protocol.fold_line({**summary, "acer": None}).endswith("  ACER – %")


def test_training_reads_packed_crops_unless_it_is_told_not_to(finished, tmp_path):
    packed = finished / "extracted" / "packed"
    assert [p.name for p in packed.iterdir()] == ["oulu"], "the others are arrays already"
    data = json.loads((finished / "OCI-M" / "settings.json").read_text())["crops"]["data"].split(",")
    assert sorted(data) == sorted(str((packed if name == "oulu" else finished / "extracted") / name) for name in tiny_benchmark.DATASETS)
    files = protocol.Plan("OCI-M", "split", {}, finished / "extracted", tmp_path, {}, packed=False)
    assert protocol.extract(files, ("oulu",)) == [finished / "extracted" / "oulu"]


def test_a_full_disk_is_noticed_before_crops_are_packed(finished, tmp_path, monkeypatch):
    monkeypatch.setattr(pack.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 10**6}))
    with pytest.raises(ValueError, match="need 0.0 GB, 0.0 GB are free; --crops files"):
        pack.of_files(finished / "extracted" / "oulu", tmp_path / "oulu")
    assert not (tmp_path / "oulu").exists()


@pytest.mark.parametrize(
    "words, says",
    [
        (["--size", "100"], "size: must be a multiple of 32"),
        (["--precision", "fp16"], "precision: fp16 needs a GPU"),
        (["--init", "none.pt"], "init: none.pt is no file"),
        (["--population", "all"], "--population all: is not one of split, all-nodev, everything"),
        (["--root", "wild=."], "--root wild=…: no such dataset"),
        (["--name", "oulu-3"], "oulu-3 needs oulu: give --root oulu=DIR"),
    ],
)
def test_settings_are_checked_before_anything_is_extracted_or_claimed(tmp_path, capsys, go_listing, words, says):
    """The stand-in for the Go program fails at `extract`: an error that comes later would be its."""
    roots = [] if "--name" in words else [word for name in tiny_benchmark.DATASETS for word in ("--root", f"{name}={tmp_path}")]
    assert cli.main([*command(tmp_path), *roots, *words]) == 1
    assert says in capsys.readouterr().err and list(tmp_path.iterdir()) == []


def test_a_second_call_does_nothing_and_a_deleted_part_is_made_again(finished, capsys):
    out = finished / "OCI-M"
    weights = (out / "run" / "final.pt").stat().st_mtime_ns
    assert cli.main(command(finished)) == 0
    (out / "result.json").unlink()
    (out / "report" / "report.json").unlink()
    assert cli.main([*command(finished), "--score-exported", "none"]) == 0
    assert (out / "run" / "final.pt").stat().st_mtime_ns == weights and (out / "report" / "report.json").is_file()
    assert cli.main([*command(finished), "--k", "5"]) == 1
    assert "k 10, now 5" in capsys.readouterr().err


def test_a_folder_belongs_to_one_population_from_the_start(finished, tmp_path, capsys):
    assert cli.main([*command(finished), "--population", "all-nodev"]) == 1
    assert "population split, now all-nodev" in capsys.readouterr().err
    tiny_benchmark.write(tmp_path / "extracted", frames=1)
    protocol._claim(tmp_path / "OCI-M" / "settings.json", {"population": "everything"})  # and was interrupted
    assert cli.main(command(tmp_path)) == 1 and "population everything, now split" in capsys.readouterr().err


def test_without_dev_videos_there_is_no_realistic_threshold(finished, tmp_path, capsys):
    path = tiny_benchmark.write_protocol(tmp_path / "p.csv", with_dev=False)
    folders = ",".join(str(finished / "extracted" / name) for name in tiny_benchmark.DATASETS)
    model = finished / "OCI-M" / "run" / "final.pt"
    assert cli.main(["evaluate", "--model", str(model), "--data", folders, "--protocol", str(path), "--out", str(tmp_path / "out")]) == 0
    assert "realistic  no threshold" in capsys.readouterr().out
    assert cli.main(["train", "--data", folders, "--protocol", str(path), "--out", str(tmp_path / "run"), *tiny_benchmark.TOY]) == 1
    assert "no video has the role dev" in capsys.readouterr().err


def test_an_arm_and_a_flag_that_contradict_are_refused(tmp_path, capsys, go_listing):
    tiny_benchmark.write(tmp_path / "extracted", frames=1)
    assert cli.main([*command(tmp_path), "--arm", "no-pe", "--mix", "append"]) == 1
    assert "mix: arm no-pe sets none, not append" in capsys.readouterr().err


def test_what_is_missing_is_named(tmp_path, capsys, monkeypatch, go_listing):
    assert cli.main(command(tmp_path)) == 1
    assert "--root oulu=DIR" in capsys.readouterr().err
    assert cli.main([*command(tmp_path), "--root", "oulu"]) == 1
    assert "DATASET=DIR" in capsys.readouterr().err
    monkeypatch.setenv("LIVEPROOF_BIN", str(tmp_path / "none"))
    assert cli.main([*command(tmp_path), "--root", f"oulu={tmp_path}"]) == 1
    assert "make build" in capsys.readouterr().err


def test_the_go_program_is_called_by_its_contract(tmp_path, monkeypatch):
    """A stand-in that notes its words: extract for each root, then protocol, whose file appears whole."""
    stand_in = tmp_path / "liveproof"
    stand_in.write_text(f"""#!/bin/sh
echo "$@" >> {tmp_path}/calls
while [ $# -gt 0 ]; do [ "$1" = --out ] && out=$2; shift; done
case "$out" in *.partial) echo made > "$out" ;; esac
""")
    stand_in.chmod(0o755)
    monkeypatch.setenv("LIVEPROOF_BIN", str(stand_in))
    root = tmp_path / "root"
    root.mkdir()
    (root / "plan.csv").touch()
    (tmp_path / "crops" / "oulu").mkdir(parents=True)
    plan = protocol.Plan("oulu-3", "split", {"oulu": root}, tmp_path / "crops", tmp_path / "out", {}, packed=False)
    assert protocol.extract(plan, ("oulu",)) == [tmp_path / "crops" / "oulu"] and (tmp_path / "crops" / "oulu" / manifest.RENDERED).is_file()
    goprogram.write_protocol("oulu-3.2", "split", [tmp_path / "crops" / "oulu"], tmp_path / "out" / "p.csv")
    assert (tmp_path / "out" / "p.csv").read_text() == "made\n"
    first, second = (tmp_path / "calls").read_text().splitlines()
    assert first == f"extract --dataset oulu --root {root} --out {tmp_path}/crops/oulu"
    assert second == f"protocol --name oulu-3.2 --population split --extracted {tmp_path}/crops/oulu --out {tmp_path}/out/p.csv.partial"


def test_a_failing_go_program_stops_the_protocol(tmp_path, monkeypatch):
    monkeypatch.setenv("LIVEPROOF_BIN", "/bin/false")
    with pytest.raises(ValueError, match="exit code 1"):
        goprogram.write_protocol("OCI-M", "split", [], tmp_path / "p.csv")
    assert not (tmp_path / "p.csv").exists()


def test_the_listing_says_what_a_protocol_needs(go_listing):
    listing = goprogram.listing()
    assert listing.datasets == ("oulu", "casia", "replay", "msu") and listing.cross() == ["OCI-M", "OMI-C", "OCM-I", "ICM-O"]
    assert listing.find("OMI-C").datasets == ("oulu", "msu", "replay", "casia") and listing.find("oulu-1").folds == ("oulu-1",)
    assert listing.find("oulu-4").folds == tuple(f"oulu-4.{k}" for k in range(1, 7))
    fold = listing.find("oulu-3.2")
    assert (fold.name, fold.datasets, fold.folds) == ("oulu-3.2", ("oulu",), ("oulu-3.2",))
    assert listing.needed(["oulu-2"]) == ["oulu"] and listing.needed(["oulu-1", "ICM-O"]) == list(listing.datasets)
    with pytest.raises(ValueError, match="OCI-X: no such protocol; there are oulu-1, .*OCI-M"):
        listing.find("OCI-X")


def test_a_new_dataset_or_field_of_the_go_program_changes_nothing_here():
    told = json.loads(PROTOCOLS.read_text())
    told["datasets"].append({"name": "wild", "title": "In the wild", "letter": "W", "sidecars": ["x.txt"]})
    told["protocols"].append({"name": "OC-W", "kind": "cross", "train": ["oulu", "casia"], "test": ["wild"], "folds": ["OC-W"], "letters": "OCW"})
    listing = goprogram.parse(told)
    assert listing.find("OC-W").datasets == ("oulu", "casia", "wild") and "OC-W" in listing.cross()
    assert listing.needed(["OC-W"]) == ["oulu", "casia", "wild"]


def test_go_and_the_tables_agree_on_attacks_and_splits():
    told = json.loads(PROTOCOLS.read_text())
    assert sorted(told["pais"]) == sorted(manifest.SPECIES) == sorted(media.KINDS)
    assert {split for dataset in told["datasets"] for split in dataset["splits"]} == set(manifest.SPLITS)


@pytest.mark.parametrize("printed", ["NAME  DATASETS", "[]", '{"datasets": [{}], "protocols": []}'])
def test_a_listing_that_cannot_be_read_names_the_program(tmp_path, monkeypatch, printed):
    old = tmp_path / "liveproof"
    old.write_text(f"#!/bin/sh\necho '{printed}'\n")
    old.chmod(0o755)
    monkeypatch.setenv("LIVEPROOF_BIN", str(old))
    with pytest.raises(ValueError, match="liveproof: `protocol --list --json` is not as expected.*build it"):
        goprogram.listing()


def test_six_folds_are_averaged(tmp_path, monkeypatch, capsys, go_listing):
    def one(plan, fold, folders):
        acer = int(fold[-1]) / 100
        rates = {k: acer for k in ("acer", "apcer", "bpcer", "acer_instrument", "acer_pooled", "hter")}
        return {"realistic": rates, "idealised": rates, "test": {"auc": 0.9}, "data": "as extracted"}

    monkeypatch.setattr(protocol, "one", one)
    monkeypatch.setattr(protocol, "check", lambda *args: None)
    monkeypatch.setattr(protocol, "extract", lambda plan, datasets: [])
    monkeypatch.setattr(protocol.report, "lines", lambda result: "")
    summary = protocol.run(protocol.Plan("oulu-3", "split", {}, tmp_path, tmp_path, {}))
    assert summary["acer"]["n"] == 6 and summary["acer"]["mean"] == pytest.approx(0.035)
    assert "HTER 3.50 ± 1.71 (1.87)  AUC 90.00 ± 0.00 (0.00)" in (said := capsys.readouterr().out) and "ACER 3.50 ± 1.71 (1.87)" in said
    assert json.loads((tmp_path / "oulu-3.json").read_text()) == summary


def test_where_no_video_is_dev_every_tenth_of_training_becomes_it(tmp_path):
    path = tiny_benchmark.write_protocol(tmp_path / "p.csv", with_dev=False)
    assert protocol.hold_out(path) == 0, "too few videos of a class for a tenth"
    rows = [f"casia,v{i},train,0,{i % 2},{'none' if i % 2 else 'print'},,1\n" for i in range(40)]
    path.write_text("dataset,video,role,domain,label,pai,instrument,camera\n" + "".join(rows))
    assert protocol.hold_out(path) == 4 and protocol.hold_out(path) == 0, "once"
    held = [u for u in manifest.read_protocol(path).values() if u.role == "dev"]
    assert [u.label for u in held] == [0, 1, 0, 1]


def test_settings_that_only_say_where_do_not_differ():
    old = {"steps": 40, "out": "a", "threads": 2}
    assert protocol.differences(old, {"steps": 40, "out": "b", "threads": 1}) == ""
    assert protocol.differences(old, {"steps": 60, "out": "b", "threads": 1}) == "steps 40, now 60"
    assert protocol.differences(old, {"optimisation": {"steps": 60}, "run": {"out": "b", "threads": 1}}) == "steps 40, now 60"
