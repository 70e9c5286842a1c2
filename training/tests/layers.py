"""Compares the table of layers in README.md with the imports of every module."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# A layer that is not open to all below it, and the only module outside of it that may use it.
SEAMS = {"liveproof_render": "liveproof_training/loading/rendered.py"}


def table(readme: str) -> dict[str, str]:
    """Layer -> what it holds, from the top down: folders end in "/", a single module does not."""
    rows = re.search(r"\| layer \|.*\n\|[-|]+\n((?:\|.*\n)+)", readme).group(1)
    return dict(re.match(r"\| `(.+?)` \| (.*) \|$", row).groups() for row in rows.splitlines())


def names(text: str) -> list[str]:
    """Modules that a row of the table names."""
    return re.findall(r"`([\w/]+\.py)`", text)


def modules(root: Path) -> list[str]:
    """Paths of all modules, such as liveproof_training/fit/train.py."""
    return sorted(path.relative_to(root).as_posix() for path in root.glob("liveproof_*/**/*.py"))


def layer_of(path: str, layers: list[str]) -> str | None:
    """The layer with the longest name that the module lies in; a package's command line counts as its ``cli.py``."""
    path = re.sub(r"__main__\.py$", "cli.py", path)
    found = [layer for layer in layers if path == layer or (layer.endswith("/") and path.startswith(layer))]
    return max(found, key=len, default=None)


def violations(root: Path, layers: list[str]) -> list[str]:
    """A line for each module without a layer and each import of a layer below, or around a seam."""
    known, out = modules(root), []
    for path in known:
        if layer_of(path, layers) is None:
            out.append(f"{path}: is in no layer of the table")
            continue
        for line, target in _imports(root, path, known):
            said = _judge(path, target, layers)
            if said:
                out.append(f"{path}:{line}: imports {target}, {said}")
    return out


def _judge(path: str, target: str, layers: list[str]) -> str:
    own, other = layer_of(path, layers), layer_of(target, layers)
    if other is not None and layers.index(other) > layers.index(own):
        return f"of {other}, a layer below {own}"
    package, home = target.split("/")[0], path.split("/")[0]
    if package in SEAMS and home != package and path != SEAMS[package]:
        return f"which only {SEAMS[package]} may"
    return ""


def _imports(root: Path, path: str, known: list[str]):
    """(line, module path) of every import of one of ours, inside functions too."""
    for node in ast.walk(ast.parse((root / path).read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(path, node)
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            target = _file(name, known)
            if target:
                yield node.lineno, target


def _absolute(path: str, node: ast.ImportFrom) -> str:
    parts = path.split("/")[: -node.level] if node.level else []
    return ".".join([*parts, *([node.module] if node.module else [])])


def _file(name: str, known: list[str]) -> str | None:
    """The module that a dotted name is in; its end may be something that the module defines."""
    parts = name.split(".")
    for end in (len(parts), len(parts) - 1):
        place = "/".join(parts[:end])
        for path in (f"{place}.py", f"{place}/__init__.py"):
            if path in known:
                return path
    return None
