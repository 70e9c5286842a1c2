"""The packages keep to the table of layers in README.md, which names every module."""

from pathlib import Path

import layers
import pytest

README = (layers.ROOT / "README.md").read_text()
TABLE = layers.table(README)


def test_no_module_imports_a_layer_below_its_own():
    assert layers.violations(layers.ROOT, list(TABLE)) == []


def test_the_renderer_knows_nothing_of_the_trainer():
    order = list(TABLE)
    assert order.index("liveproof_render/") < min(n for n, layer in enumerate(order) if layer.startswith("liveproof_training"))
    assert "`loading/rendered.py`" in TABLE["liveproof_render/"] and (layers.ROOT / layers.SEAMS["liveproof_render"]).is_file()


def test_the_table_names_every_module_and_no_other():
    named = {f"{layer}{name}" for layer, text in TABLE.items() for name in layers.names(text) if layer.endswith("/")}
    there = {path for path in layers.modules(layers.ROOT) if Path(path).stem not in ("__init__", "__main__")}
    single = {layer for layer in TABLE if not layer.endswith("/")}
    assert named - {"liveproof_render/loading/rendered.py"} | single == there


def test_no_module_is_named_like_its_folder():
    assert [path for path in layers.modules(layers.ROOT) if Path(path).stem == Path(path).parent.name] == []


# The checker itself, on made-up packages

LAYERS = ["liveproof_base/", "liveproof_render/", "liveproof_training/", "liveproof_training/loading/", "liveproof_training/fit/"]


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        for folder in [path.parent, *path.parent.parents]:
            if folder.is_relative_to(root) and folder != root:
                folder.mkdir(parents=True, exist_ok=True)
                (folder / "__init__.py").touch()
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    "file, line, target",
    [
        ("liveproof_training/loading/a.py", "from ..fit import b", "liveproof_training/fit/b.py, of liveproof_training/fit/"),
        ("liveproof_training/loading/a.py", "from ..fit.b import Thing", "liveproof_training/fit/b.py, of liveproof_training/fit/"),
        ("liveproof_training/loading/a.py", "from .. import fit", "liveproof_training/fit/__init__.py, of"),
        ("liveproof_training/loading/a.py", "import liveproof_training.fit.b as b", "liveproof_training/fit/b.py, of"),
        ("liveproof_training/top.py", "def f():\n    from .loading import c", "liveproof_training/loading/c.py, of"),
        ("liveproof_render/a.py", "from liveproof_training import top", "liveproof_training/top.py, of liveproof_training/"),
        ("liveproof_base/a.py", "import liveproof_render.crops", "liveproof_render/crops.py, of liveproof_render/"),
        ("liveproof_training/fit/a.py", "from liveproof_render import crops", "liveproof_render/crops.py, which only"),
    ],
)
def test_an_import_of_a_layer_below_or_around_the_seam_is_found(tmp_path, file, line, target):
    others = ("liveproof_training/fit/b.py", "liveproof_training/loading/c.py", "liveproof_training/top.py", "liveproof_render/crops.py")
    root = write(tmp_path, {**dict.fromkeys(others, ""), file: f'"""A module."""\n\n{line}\n'})
    (found,) = layers.violations(root, LAYERS)
    assert found.startswith(f"{file}:{3 + line.count(chr(10))}: imports {target}")


def test_imports_of_layers_above_and_through_the_seam_pass(tmp_path):
    seam = layers.SEAMS["liveproof_render"]
    allowed = {
        "liveproof_base/crop.py": "import numpy as np",
        "liveproof_render/crops.py": "from liveproof_base.crop import SIZE\nfrom . import paper",
        "liveproof_render/paper.py": "",
        "liveproof_training/top.py": "from liveproof_base import crop",
        "liveproof_training/fit/a.py": "from .. import top\nfrom ..loading import rendered\nfrom . import b",
        "liveproof_training/fit/b.py": "",
        seam: "from liveproof_render import crops",
    }
    assert layers.violations(write(tmp_path, allowed), LAYERS) == []


def test_a_folder_that_the_table_lacks_is_found(tmp_path):
    root = write(tmp_path, {"liveproof_extra/a.py": ""})
    assert layers.violations(root, LAYERS) == [f"liveproof_extra/{name}.py: is in no layer of the table" for name in ("__init__", "a")]
