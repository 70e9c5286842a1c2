"""Files that are written whole or not at all, also on a disk that is full."""

import errno
import subprocess

import numpy as np
import onnx
import pytest

from liveproof_base import whole
from liveproof_training import plots


@pytest.fixture
def disk(tmp_path):
    """A disk of 1 MiB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("this process may not mount a small disk: run the test as root")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_the_old_content_stays_after_an_error(tmp_path):
    path = tmp_path / "x.json"
    whole.text(path, "first")
    with pytest.raises(RuntimeError), whole.file(path) as partial:
        partial.write_text("half")
        raise RuntimeError("the source broke")
    assert path.read_text() == "first"
    whole.text(path, "second")
    assert [(f.name, f.read_text()) for f in tmp_path.iterdir()] == [("x.json", "second")]


def _array(path):
    with whole.file(path) as partial:
        np.save(partial, np.zeros(300_000, dtype=np.uint8))


def _model(path):
    weight = onnx.helper.make_tensor("w", onnx.TensorProto.UINT8, [300_000], bytes(300_000), raw=True)
    graph = onnx.helper.make_graph([], "g", [], [], [weight])
    with whole.file(path) as partial:
        onnx.save(onnx.helper.make_model(graph), partial)


def _plot(path):
    fig, _ = plots.figure(30, 30)
    plots.save(fig, path)


@pytest.mark.parametrize(
    ("write", "ending"), [(lambda p: whole.text(p, "x" * 300_000), ".txt"), (_array, ".npy"), (_model, ".onnx"), (_plot, ".png")]
)
def test_a_full_disk_holds_whole_files_only(disk, write, ending):
    (disk / "ballast").write_bytes(bytes(800_000))
    with pytest.raises(OSError) as failed:
        for i in range(100):
            write(disk / f"{i}{ending}")
    assert failed.value.errno == errno.ENOSPC
    assert "free space there" in str(failed.value)
    sizes = [f.stat().st_size for f in disk.iterdir() if f.name != "ballast"]
    assert len(set(sizes)) <= 1, "each file is whole"
    (disk / "ballast").unlink()
    write(disk / f"again{ending}")
