"""Files of which there is never a half: after a kill or a full disk a name holds the old content or the new, whole."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def file(path: Path) -> Iterator[Path]:
    """A partial file's path to write to, with the same ending. It gets the name ``path`` once it is on the disk; after an error nothing is left.

    Every process has a partial file of its own.
    """
    partial = path.with_name(f".partial-{os.getpid()}-{path.name}")
    try:
        yield partial
        with partial.open("r+b") as written:
            os.fsync(written.fileno())
        os.replace(partial, path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, None):  # NumPy's short write has no number
            code = error.errno or errno.ENOSPC
            raise OSError(code, f"{os.strerror(code)}; nothing of it was kept: free space there and run it again", str(path)) from error
        raise
    finally:
        partial.unlink(missing_ok=True)


def text(path: Path, content: str) -> None:
    """Writes UTF-8."""
    with file(path) as partial:
        partial.write_text(content, encoding="utf-8")
