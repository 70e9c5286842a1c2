import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # spinning threads make a shared machine seven times slower; read with torch
PROTOCOLS = Path(__file__).with_name("protocols.json")


@pytest.fixture(autouse=True)
def two_threads():
    import torch  # after OMP_WAIT_POLICY

    torch.set_num_threads(2)


@pytest.fixture(scope="module")
def go_listing(tmp_path_factory):
    """In place of the Go program one that only lists its protocols; for the tests of a module."""
    stand_in = tmp_path_factory.mktemp("bin") / "liveproof"
    stand_in.write_text(f'#!/bin/sh\n[ "$*" = "protocol --list --json" ] && exec cat "{PROTOCOLS}"\necho "stand-in: $*" >&2\nexit 1\n')
    stand_in.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIVEPROOF_BIN", str(stand_in))
        yield stand_in
