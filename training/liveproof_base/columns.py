"""A table in memory, column by column: a row costs the bytes of its values, not a Python object for each of them."""

from __future__ import annotations

import array
from collections.abc import Callable, Iterator, Sequence

import numpy as np


class Numbers:
    """Whole or other numbers, None where not known."""

    def __init__(self, whole: bool, values: Sequence[float] = ()):
        self.whole, self.values = whole, array.array("d", values)

    def append(self, value: float | None) -> None:
        self.values.append(np.nan if value is None else value)

    def get(self, i: int) -> float | int | None:
        value = self.values[i]
        return None if value != value else int(value) if self.whole else value

    def take(self, ids: list[int]) -> Numbers:
        return Numbers(self.whole, [self.values[i] for i in ids])


class Words:
    """Words of which many are the same: each is kept once."""

    def __init__(self):
        self.numbers: dict[str, int] = {}
        self.words: list[str] = []
        self.codes = array.array("I")

    def append(self, word: str) -> None:
        code = self.numbers.get(word)
        if code is None:
            code = self.numbers[word] = len(self.words)
            self.words.append(word)
        self.codes.append(code)

    def get(self, i: int) -> str:
        return self.words[self.codes[i]]

    def take(self, ids: list[int]) -> Words:
        return _filled(Words(), self, ids)


class Names:
    """Words that all differ, one after the other in one piece of memory."""

    def __init__(self):
        self.text, self.ends = bytearray(), array.array("Q", [0])

    def append(self, word: str) -> None:
        self.text += word.encode()
        self.ends.append(len(self.text))

    def get(self, i: int) -> str:
        return self.text[self.ends[i] : self.ends[i + 1]].decode()

    def take(self, ids: list[int]) -> Names:
        return _filled(Names(), self, ids)


Column = Numbers | Words | Names


def _filled(new, old, ids: list[int]):
    for i in ids:
        new.append(old.get(i))
    return new


class Rows(Sequence):
    """Rows of a table; ``kind`` makes one when it is asked for."""

    def __init__(self, kind: Callable, columns: dict[str, Column], count: int):
        self.kind, self.columns, self.count = kind, columns, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, i: int):
        if not -self.count <= i < self.count:
            raise IndexError(i)
        return self._row(i % self.count)

    def __iter__(self) -> Iterator:
        return map(self._row, range(self.count))

    def _row(self, i: int):
        return self.kind(*(column.get(i) for column in self.columns.values()))

    def take(self, ids: list[int]) -> Rows:
        """A table of its own with some of the rows."""
        return Rows(self.kind, {name: column.take(ids) for name, column in self.columns.items()}, len(ids))

    def column(self, name: str) -> list:
        """One value a row; equal words are one object."""
        return list(map(self.columns[name].get, range(self.count)))


class Joined(Sequence):
    """Rows of several tables, one after the other."""

    def __init__(self, parts: list[Rows]):
        self.parts = parts

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def __getitem__(self, i: int):
        if not -len(self) <= i < len(self):
            raise IndexError(i)
        i %= len(self)
        for part in self.parts:
            if i < len(part):
                return part[i]
            i -= len(part)

    def __iter__(self) -> Iterator:
        for part in self.parts:
            yield from part

    def column(self, name: str) -> list:
        return [value for part in self.parts for value in part.column(name)]
