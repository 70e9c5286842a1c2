"""FOLDER: prints the folders of CUDA's libraries in this Python's packages, in the form of LD_LIBRARY_PATH.

ONNX Runtime opens some libraries by names without a version, which the packages lack. FOLDER gets links with these names.
"""

import importlib.util
import os
import sys
from pathlib import Path


def package_folders(name: str) -> list[Path]:
    spec = importlib.util.find_spec(name)
    return [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []


def library_folders() -> list[Path]:
    folders = [folder for root in package_folders("nvidia") for folder in sorted(root.glob("*/lib"))]
    folders += [root / "lib" for root in package_folders("torch")]
    folders += [Path(place) for place in ("/usr/local/cuda/lib64", "/usr/local/nvidia/lib64")]
    return [folder for folder in folders if folder.is_dir()]


def link(folders: list[Path], into: Path) -> None:
    into.mkdir(parents=True, exist_ok=True)
    for library in (file for folder in folders for file in sorted(folder.glob("lib*.so.*"))):
        name = into / (library.name.partition(".so.")[0] + ".so")
        if library.name.startswith(("libcu", "libnv")) and not os.path.lexists(name):
            name.symlink_to(library)


def main() -> None:
    folders = library_folders()
    link(folders, Path(sys.argv[1]))
    print(":".join(map(str, folders)))


if __name__ == "__main__":
    main()
