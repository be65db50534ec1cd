"""The few structures of HDF5's file format that say where things lie: object headers, heaps, chunk indexes.

Numbers of sections are those of the HDF5 File Format Specification, version 3.0. What is met rarely is not read here.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

HEAD_BYTES, MOST_BYTES, MOST_BLOCKS = 2**14, 2**22, 2**8
SIGNATURE = b"\x89HDF\r\n\x1a\n"
NOWHERE = 2**64 - 1
"""The address of what was never written."""
SHARED = 2
"""Marks a message that lies elsewhere."""
CONTINUED = 0x10


class OddError(Exception):
    """A file has something that only the HDF5 library understands."""


class Bytes:
    """The bytes of an open file, by address."""

    def __init__(self, file: Any) -> None:
        self.file, self.heaps = file, dict[int, dict[int, bytes]]()
        self.head: bytes = file.read(HEAD_BYTES)

    def at(self, address: int, size: int) -> bytes:
        """Read a number of bytes.

        Raises
        ------
        OddError
            If the file ends before.
        """
        if address + size <= len(self.head):
            return self.head[address : address + size]
        if size > MOST_BYTES:
            raise OddError(f"{size} bytes at {address}")
        self.file.seek(address)
        found: bytes = self.file.read(size)
        if len(found) != size:
            raise OddError(f"the file ends inside of {size} bytes at {address}")
        return found

    def root(self) -> int:
        """Give the address of the root group's header (II.A), in a file whose addresses count from its beginning.

        Raises
        ------
        OddError
            If the file is shorter than it says, or was not closed.
        """
        version = self.head[8] if self.head[:8] == SIGNATURE else None
        if version in (2, 3):
            sizes, marks, (base, extension, end, root) = self.head[9:11], self.head[11], _addresses(self.head, 12, 4)
            odd = marks != 0 or extension != NOWHERE
        elif version == 0:
            sizes, (base, _, end, driver, _, root) = self.head[13:15], _addresses(self.head, 24, 6)
            odd = driver != NOWHERE
        else:
            raise OddError(f"superblock of version {version}")
        if odd or sizes != b"\x08\x08" or base or end > self.file.seek(0, os.SEEK_END):
            raise OddError("superblock that is not as it mostly is")
        return root

    def messages(self, address: int) -> Iterator[tuple[int, bytes, bytes]]:
        """List the messages of an object's header (IV.A.1.b): kind, what leads it in, body.

        Raises
        ------
        OddError
            If it is of the first version, or shares messages with others.
        """
        begins = self.at(address, 38)
        if begins[:5] != b"OHDR\x02":
            raise OddError("object header of another version")
        marks = begins[5]
        start, width = 6 + (16 if marks & 32 else 0) + (4 if marks & 16 else 0), 1 << (marks & 3)
        size = int.from_bytes(begins[start : start + width], "little")
        blocks, lead = [self.at(address + start + width, size)], 6 if marks & 4 else 4
        for block in blocks:  # which grows meanwhile
            at = 0
            while at + lead <= len(block):
                kind, length, shared = struct.unpack_from("<BHB", block, at)
                body = block[at + lead : at + lead + length]
                if shared & SHARED or len(body) != length:
                    raise OddError("a message that lies elsewhere")
                if kind == CONTINUED and len(blocks) == MOST_BLOCKS:
                    raise OddError("a header in very many blocks, or one that leads back to itself")
                if kind == CONTINUED:
                    blocks.append(self._continued(*struct.unpack("<QQ", body)))
                elif kind:
                    yield kind, block[at : at + lead], body
                at += lead + length

    def _continued(self, address: int, size: int) -> bytes:
        found = self.at(address, size)
        if found[:4] != b"OCHK":
            raise OddError("a header whose continuation is none")
        return found[4:-4]

    def lists(self, data: bytes) -> list[tuple[int, bytes]]:
        """Give the lengths and the bytes of the lists of any length that an attribute has (III.E)."""
        found = []
        for length, address, index in struct.iter_unpack("<IQI", data):
            found.append((length, self._heap(address)[index] if length else b""))
        return found

    def _heap(self, address: int) -> dict[int, bytes]:
        """Read what one global heap holds (III.E), by number."""
        if address in self.heaps:
            return self.heaps[address]
        size = int(struct.unpack_from("<4s4xQ", self._insist(address, b"GCOL\x01", 16))[1])
        data, at, found = self.at(address, size), 16, dict[int, bytes]()
        while at + 16 <= size:
            index, length = struct.unpack_from("<H6xQ", data, at)
            if index == 0:  # what is free
                break
            found[index] = data[at + 16 : at + 16 + length]
            at += 16 + -(-length // 8) * 8
        self.heaps[address] = found
        return found

    def chunks(self, address: int, rank: int, passed: set[int] | None = None) -> Iterator[Any]:
        """List the chunks of an index of the first version (III.A.1): arrays of their lengths, masks, where and at.

        Raises
        ------
        OddError
            If it is no tree.
        """
        if address == NOWHERE:
            return
        passed = set() if passed is None else passed
        if address in passed:
            raise OddError(f"a chunk index that comes to {address} twice")
        passed.add(address)
        _, kind, level, count = struct.unpack_from("<4sBBH", self._insist(address, b"TREE\x01", 24))
        entry = np.dtype(
            [("length", "<u4"), ("mask", "<u4"), ("index", "<u8", (rank,)), ("size", "<u8"), ("at", "<u8")]
        )
        found = np.frombuffer(self.at(address + 24, count * entry.itemsize), entry)
        if level == 0:
            yield found
            return
        for below in found["at"].tolist():
            yield from self.chunks(below, rank, passed)

    def _insist(self, address: int, begins: bytes, size: int) -> bytes:
        found = self.at(address, size)
        if not found.startswith(begins):
            raise OddError(f"no {begins!r} at {address}")
        return found


def _addresses(data: bytes, at: int, count: int) -> tuple[int, ...]:
    return struct.unpack_from(f"<{count}Q", data, at)
