"""scripts/gpu-check.sh: its arguments, and what its report makes of the logs."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
sys.path.insert(0, str(SCRIPTS / "gpu_check"))

import report  # noqa: E402
import training_step  # noqa: E402

from liveproof_base import manifest  # noqa: E402


@pytest.mark.parametrize(
    "words, status, said",
    [
        (["--help"], 0, "gpu-check.sh prepare DIR"),
        ([], 2, "gpu-check.sh prepare DIR"),
        (["measure"], 2, "gpu-check.sh prepare DIR"),
        (["run"], 2, "gpu-check.sh run DIR"),
        (["run", "EMPTY"], 1, "was not prepared: bin/scorer.test is missing"),
    ],
)
def test_arguments(words, status, said, tmp_path):
    words = [str(tmp_path) if word == "EMPTY" else word for word in words]
    done = subprocess.run([SCRIPTS / "gpu-check.sh", *words], capture_output=True, text=True)
    assert done.returncode == status and said in done.stdout + done.stderr


BENCH = """
loaded model=m provider=cuda max_batch=256 seconds=9.50
BenchmarkProvider/m/bare/runs=1/batch=64-16 100 5 ns/op 10000 images/s
BenchmarkProvider/m/bare/runs=2/batch=64-16 100 5 ns/op 12000 images/s
BenchmarkProvider/m/busy/workers=2/max_batch=64/sessions=128-16 9 5 ns/op 0 failed 11000 images/s 1 p50-wait-ms 30 p99-wait-ms
BenchmarkProvider/m/steady/workers=2/max_batch=64/offered=9600-16 9 5 ns/op {failed} failed 9590 images/s 1 p50-wait-ms {wait} p99-wait-ms
BenchmarkProvider/m/steady/workers=2/max_batch=8/offered=9600-16
"""


@pytest.mark.parametrize(
    "wait, failed, said",
    [
        (
            8,
            0,
            [
                "110.0 % (workers 2, max_batch 64, 128 sessions): holds",
                "91.7 % (workers 2",
                "no crop failed: 8.0 ms (workers 2, max_batch 64): holds",
            ],
        ),
        (21, 0, ["91.7 % (workers 2, max_batch 64, 128 sessions): holds", "no crop failed: 21.0 ms (workers 2, max_batch 64): **does not hold**"]),
        (8, 3, ["91.7 % (workers 2, max_batch 64, 128 sessions): holds", "no crop failed: no batcher keeps up: **does not hold**"]),
    ],
)
def test_the_target_wants_rate_and_wait_and_no_failure(wait, failed, said, tmp_path):
    (tmp_path / "provider-fp16.log").write_text(BENCH.format(wait=wait, failed=failed))
    steps = tmp_path / "steps.tsv"
    steps.write_text("provider-fp16\t30\tok\ntrain-bf16\t0\tskipped: no time left\n")
    text = report.text_of(report.collect(tmp_path, steps), "gpu")
    assert "| 64 | 10 000 | 12 000 |" in text and "| provider-fp16 | m | cuda | 256 | 9.50 |" in text
    assert "| train-bf16 | 0 | skipped: no time left |" in text and "no GPU" not in text
    assert all(words in text for words in said), text


def test_a_report_without_any_log_says_so(tmp_path):
    text = report.text_of(report.collect(tmp_path, tmp_path / "steps.tsv"), "dry")
    assert report.NO_GPU in text and text.count("nothing was measured") >= 3


def test_parity_and_training_are_judged(tmp_path):
    line = "    x_test.go:1: parity model=m provider=cuda arithmetic=tf32 batch=1 crops=12 largest={} mean=0.0001 pytorch=0.0020 limit=0.002\n"
    (tmp_path / "parity.log").write_text(line.format("0.002100") + line.format("0.001900"))
    told = dict(precision="bf16", originals=128, images_per_s=900.0, repeated_images_per_s=1000.0, loader_wait=0.01, busy_nvml=0.95)
    (tmp_path / "train-bf16.log").write_text("progress\ntraining " + json.dumps(told) + "\n")
    text = report.text_of(report.collect(tmp_path, tmp_path / "steps.tsv"), "gpu")
    assert "0.002100 | 0.0001 | 0.002 | **does not hold** |" in text and "0.001900 | 0.0001 | 0.002 | holds |" in text
    assert "| bf16 | 128 | 900 | 1 000 | 90.0 % | 1.0 % | 95.0 % |" in text


def test_the_busy_share_counts_overlapping_kernels_once():
    assert training_step.covered([]) is None
    assert training_step.covered([(100, 110), (105, 120), (106, 108), (150, 200)]) == pytest.approx(0.7)


def test_drawn_crops_are_such_as_the_trainer_reads(tmp_path):
    training_step.draw(tmp_path / "crops", {"train": 4, "dev": 2})
    rows = manifest.read(tmp_path / "crops")
    assert [row.split for row in rows].count("train") == 4 and {row.label for row in rows} == {0, 1}
    assert np.load(tmp_path / "crops" / "dev.npy").shape == (2, 256, 256, 3)
