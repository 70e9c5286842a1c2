"""Videos, error rates at the three thresholds, the report: on hand-made scores."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from liveproof_base import manifest
from liveproof_training import metrics
from liveproof_training.evaluation import judge, report, scoring, videos
from liveproof_training.evaluation.videos import Video


def some(role: str, real: list[float], attacks: list[tuple[str, str, float]], camera: str = "1") -> list[Video]:
    out = [Video("oulu", f"{role}-r{i}", role, 1, "none", "", camera, (s,)) for i, s in enumerate(real)]
    return out + [Video("oulu", f"{role}-a{i}", role, 0, pai, kind, camera, (s,)) for i, (pai, kind, s) in enumerate(attacks)]


DEV = some("dev", [0.9, 0.8], [("print", "print1", 0.1), ("replay", "display1", 0.3)])
TEST = some(
    "test", [0.95, 0.9, 0.75, 0.6], [("print", "print1", 0.85), ("print", "print2", 0.2), ("replay", "display1", 0.1), ("replay", "display2", 0.3)]
)


def fake_crops(names: list[str], labels: list[int]):
    rows = [
        SimpleNamespace(
            dataset=n.split("/")[0],
            video=n.split("/", 1)[1],
            crop=f"c.npy#{i}",
            frame=i,
            label=y,
            pai="none" if y else "print",
            instrument="",
            camera="1",
        )
        for i, (n, y) in enumerate(zip(names, labels))
    ]
    return SimpleNamespace(videos=names, labels=np.array(labels), rows=rows)


def test_a_video_scores_the_mean_of_its_frames_and_0_without_any():
    uses = {
        ("msu", "a"): SimpleNamespace(role="test", label=1, pai="none", instrument="", camera="laptop"),
        ("msu", "lost"): SimpleNamespace(role="test", label=1, pai="none", instrument="", camera="laptop"),
        ("msu", "other"): SimpleNamespace(role="train", label=0, pai="print", instrument="x", camera="laptop"),
    }
    crops = fake_crops(["msu/a", "msu/b", "msu/a"], [1, 0, 1])
    found = videos.of_protocol(uses, "test", crops, np.array([0.2, 0.9, 0.6]))
    assert [(v.video, round(v.score, 6), len(v.rho)) for v in found] == [("a", 0.4, 2), ("lost", 0.0, 0)]
    assert judge.counts(found)["without_crops"] == ["msu/lost"]
    assert [v.score for v in videos.of_crops("test", crops, np.array([0.2, 0.9, 0.6]))] == pytest.approx([0.4, 0.9])


def test_a_lost_bona_fide_video_counts_as_an_error():
    lost = TEST + [Video("oulu", "lost", "test", 1, "none", "", "1", ())]
    with_it, without = judge.judge(DEV, lost, 0.5), judge.judge(DEV, TEST, 0.5)
    assert with_it["realistic"]["bpcer"] == pytest.approx(3 / 5) and without["realistic"]["bpcer"] == pytest.approx(2 / 4)


def test_thresholds_come_from_where_they_say():
    result = judge.judge(DEV, TEST, 0.5)
    assert result["realistic"]["threshold"] == 0.8, "dev's own equal error point"
    assert result["realistic"]["far"] == 0.25 and result["realistic"]["frr"] == 0.5 and result["realistic"]["hter"] == 0.375
    ideal = metrics.eer_point(*videos.scores(TEST))
    assert result["idealised"]["threshold"] == ideal.threshold and result["idealised"]["hter"] == ideal.hter == 0.25
    assert result["model"]["hter"] == 0.125, "one attack of four above 0.5"
    assert result["pai"]["print"]["apcer_model"] == 0.5 and result["instrument"]["print1"]["apcer_model"] == 1.0
    assert result["camera"]["oulu/1"]["hter_model"] == 0.125
    assert result["realistic"]["apcer"] == 0.5 and result["realistic"]["apcer_pooled"] == 0.25


def test_dev_of_one_class_gives_no_realistic_threshold_and_test_of_one_class_no_report():
    assert judge.judge([v for v in DEV if v.label], TEST)["realistic"] is None
    with pytest.raises(metrics.SingleClass):
        judge.judge(DEV, [v for v in TEST if v.label])


def test_a_camera_of_one_class_has_counts_only():
    row = judge.judge(DEV, TEST + some("test", [0.9], [], camera="6"))["camera"]["oulu/6"]
    assert row == {"bona_fide": 1, "attacks": 0, "auc": None}


def test_folds_are_averaged_each_at_its_own_threshold():
    one, two = judge.judge(DEV, TEST), judge.judge(some("dev", [0.5], [("print", "p", 0.2)]), TEST)
    both = judge.folds([one, two])
    assert both["acer"]["mean"] == pytest.approx((one["realistic"]["acer"] + two["realistic"]["acer"]) / 2)
    assert both["acer"]["n"] == 2 and both["acer"]["std1"] > both["acer"]["std0"] > 0


def parts():
    crops = fake_crops([v.name for v in TEST], [v.label for v in TEST])
    empty = fake_crops([], [])
    return {"dev": scoring.Part("dev", empty, np.zeros(0), DEV), "test": scoring.Part("test", crops, np.array([v.score for v in TEST]), TEST)}


def test_report_is_whole_and_names_population_and_rendered_data(tmp_path):
    header = report.about("OCI-M", "split", True, {"file": "m<1>.onnx", "sha256": "0" * 64, "threshold": 0.5})
    written = report.write(tmp_path, header, judge.judge(DEV, TEST, 0.5), parts())
    assert json.loads((tmp_path / "report.json").read_text()) == written and written["demo"] is True
    page = (tmp_path / "report.html").read_text()
    assert "Rendered data: demo" in page and "population split" in page and "m&lt;1&gt;.onnx" in page
    assert page.count("data:image/svg+xml;base64,") == 3 and 'src="http' not in page and "<script" not in page
    assert (tmp_path / "scores.csv").read_text().splitlines()[1] == "oulu,dev-r0,dev,1,none,,1,1,0.900000"
    assert len((tmp_path / "frames.csv").read_text().splitlines()) == 1 + len(TEST)
    assert not list(tmp_path.glob("*.partial"))
    assert "HTER 25.00" in report.lines(written) and "rendered data: demo" in report.lines(written)


def test_real_data_is_not_called_demo(tmp_path):
    header = report.about("OCI-M", "split", False, {"file": "m.onnx", "sha256": "0" * 64, "threshold": 0.5})
    assert "emo" not in report.lines({**header, **judge.judge(DEV, TEST, 0.5)})
    assert scoring.is_rendered([tmp_path], TEST) is False
    (tmp_path / manifest.RENDERED).touch()
    assert scoring.is_rendered([tmp_path], TEST) is True
