"""Both command lines: moved commands, flags, and that no command loads PyTorch without need."""

import subprocess
import sys
from pathlib import Path

import pytest

from liveproof_base.commandline import SHARED
from liveproof_render import cli as render
from liveproof_training import cli

TRAINING = Path(__file__).resolve().parents[1]


@pytest.fixture
def unset(monkeypatch):
    monkeypatch.delenv(SHARED, raising=False)


@pytest.mark.parametrize("old, new", cli.MOVED.items())
def test_a_command_that_moved_names_its_new_place(old, new, capsys):
    assert cli.main([old, "--out", "x"]) == 2
    assert f"`{old}` is now `python3 -m liveproof_render {new}`" in capsys.readouterr().err
    with pytest.raises(SystemExit) as end:
        render.main([new, "--help"])
    assert end.value.code == 0


@pytest.mark.parametrize(
    "args, missing",
    [
        (["crops", "--out", "OUT"], "portraits are read from FOLDER/faces: give --shared FOLDER or set LIVEPROOF_SHARED"),
        (["dataset", "--root", "OUT"], "portraits are read from FOLDER/faces: give --shared FOLDER or set LIVEPROOF_SHARED"),
        (["media", "--out", "OUT"], "clips are read from FOLDER/media: give --shared FOLDER or set LIVEPROOF_SHARED"),
    ],
)
def test_without_a_shared_folder_the_renderer_says_what_it_lacks(unset, args, missing, tmp_path, capsys):
    assert render.main([str(tmp_path) if word == "OUT" else word for word in args]) == 1
    assert missing in capsys.readouterr().err


def test_without_a_detector_the_middle_of_the_picture_is_the_face_and_the_user_hears_of_it(unset, tmp_path, capsys):
    args = ["video", "--attack", "print", "--in", str(tmp_path / "none.mkv"), "--out", str(tmp_path / "out.mkv")]
    assert render.main(args) == 1, "there is no clip either"
    assert "no --detector is given and LIVEPROOF_SHARED is not set: the middle of the picture is taken" in capsys.readouterr().err


def test_clips_need_a_detector(unset, tmp_path, capsys):
    assert cli.main(["clips", "a.mkv", "--model", "m.onnx"]) == 1
    assert "set LIVEPROOF_SHARED, whose models/ has it" in capsys.readouterr().err


def test_the_shared_folder_is_the_environments_unless_a_flag_says_otherwise(monkeypatch, tmp_path):
    monkeypatch.setenv(SHARED, str(tmp_path))
    parsed = render.parser().parse_args(["media", "--out", "x"])
    assert parsed.shared == str(tmp_path) and parsed.detector == f"{tmp_path}/models/retinaface_mobilenet025.onnx"
    from liveproof_training.commands.train import settings

    assert settings(cli.parser().parse_args(["train"])).network.shared == str(tmp_path)
    assert settings(cli.parser().parse_args(["train", "--shared", "there"])).network.shared == "there"


def test_the_renderer_needs_no_pytorch():
    code = "import sys; from liveproof_render import cli; cli.parser(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=TRAINING).returncode == 0
