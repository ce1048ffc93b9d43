"""The byte format in which numbers cross to the browser: one JSON header, then raw arrays.

`ui/boards/moving_map/frontend/codec.js` reads what this file writes. Bytes travel untouched, whereas JSON
text of the same coordinates is about five times as long and has to be parsed ten times a second.

    4 bytes   length of the header, unsigned little-endian
    header    JSON in UTF-8, padded with spaces to a multiple of 4
    arrays    in the order of header["arrays"], little-endian, each padded with zeros to a multiple of 4
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ALIGN = 4  # a Float32Array in the browser must start at a multiple of 4 bytes
_DTYPES = {"f4": "<f4", "u2": "<u2"}


def pack(header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any] | None]) -> bytes:
    """Header and arrays as one string of bytes. Floats travel as float32, whole numbers as uint16.

    Arrays that are None are left out. Raises AssertionError for whole numbers outside 0..65535 (rows of a
    sentence set of at most 2,000 always fit).
    """
    table: list[tuple[str, str, list[int]]] = []
    blocks: list[bytes] = []
    for name, array in arrays.items():
        if array is None:
            continue
        kind = _kind(np.asarray(array))
        block = np.ascontiguousarray(array, dtype=_DTYPES[kind])
        table.append((name, kind, list(block.shape)))
        blocks.append(_padded(block.tobytes(), b"\0"))
    text = json.dumps({**header, "arrays": table}, ensure_ascii=False, separators=(",", ":"))
    head = _padded(text.encode("utf-8", "replace"), b" ")
    return struct.pack("<I", len(head)) + head + b"".join(blocks)


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The inverse of pack, as the browser does it; used by tests and tools."""
    (length,) = struct.unpack_from("<I", data)
    header: dict[str, Any] = json.loads(data[4 : 4 + length].decode("utf-8"))
    offset, arrays = 4 + length, {}
    for name, kind, shape in header.pop("arrays"):
        array = np.frombuffer(data, _DTYPES[kind], count=int(np.prod(shape)), offset=offset).reshape(shape)
        arrays[name] = array
        offset += -(-array.nbytes // _ALIGN) * _ALIGN
    return header, arrays


def _kind(array: NDArray[Any]) -> str:
    if array.dtype.kind == "f":
        return "f4"
    assert array.dtype.kind in "iub", f"cannot send an array of {array.dtype}"
    assert array.size == 0 or (array.min() >= 0 and array.max() <= 65535), "whole numbers must fit 16 bits"
    return "u2"


def _padded(data: bytes, fill: bytes) -> bytes:
    return data + fill * (-len(data) % _ALIGN)
