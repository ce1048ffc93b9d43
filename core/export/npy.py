"""Named arrays as bytes and back: NumPy's npz without pickles, and without trusting what a header claims.

numpy.load allocates whatever size a header names before it reads; here the size is compared first.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Mapping

import numpy as np

from ..types import InputError
from ..untrusted import check_packing

KINDS = ("<f4", "<i8", "<i4", "<f8")


def pack(arrays: Mapping[str, np.ndarray]) -> bytes:
    """An uncompressed npz (the file around it is compressed), readable by numpy.load(allow_pickle=False)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            assert array.dtype.str in KINDS, f"{name} is {array.dtype}"
            single = io.BytesIO()
            np.lib.format.write_array(single, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(f"{name}.npy", single.getvalue())
    return out.getvalue()


def unpack(data: bytes, limit: int) -> dict[str, np.ndarray]:
    """The arrays by name. Raises InputError for anything that pack does not write; BadZipFile if damaged."""
    arrays: dict[str, np.ndarray] = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        check_packing(archive, "It")
        infos = archive.infolist()
        if len(infos) > 32 or sum(info.file_size for info in infos) > limit:
            raise InputError("It holds more arrays than a run has.")
        for info in infos:
            if info.compress_type != zipfile.ZIP_STORED or not info.filename.endswith(".npy"):
                raise InputError("Its arrays are not stored as this app stores them.")
            arrays[info.filename.removesuffix(".npy")] = _array(archive.read(info))
    return arrays


def _array(data: bytes) -> np.ndarray:
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        shape, fortran, dtype = read[version](stream)
    except (ValueError, KeyError, EOFError, SyntaxError, TypeError) as error:
        raise InputError("One of its arrays is damaged.") from error
    rest = memoryview(data)[stream.tell() :]
    if dtype.str not in KINDS or fortran or len(shape) > 4 or any(side < 0 for side in shape):
        raise InputError("One of its arrays holds something other than plain numbers.")
    if math.prod(shape) * dtype.itemsize != len(rest):
        raise InputError("One of its arrays is shorter or longer than it says.")
    return np.frombuffer(rest, dtype).reshape(shape)
