"""Read the pickles in which data sets and benchmarks are published without letting them run code."""

from __future__ import annotations

import bz2
import io
import pickle
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from nas_core.data.sparse_rows import SparseRows

REMEDY = "delete it and fetch it from its publisher again"
NUMBER_CODES = frozenset({"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8"})


def read(path: Path) -> dict[bytes, object]:
    """Return the dict pickled in `path`, whose values are plain values, lists of them, or numpy arrays of numbers.

    Raises:
        ValueError: the file holds something else, as for `read_value`.
        OSError: the file cannot be read.
    """
    value = read_value(path)
    if not isinstance(value, dict):
        raise ValueError(
            f"{path} is not a pickle of plain values and arrays (it holds a {_kind(value)}, not a dict); {REMEDY}"
        )
    return value


def read_array(path: Path) -> NDArray[Any]:
    """Return the numpy array pickled in `path`; a sparse matrix is written out as float32.

    Raises:
        ValueError: the file holds something else, as for `read_value`.
        OSError: the file cannot be read.
    """
    value = read_value(path)
    if isinstance(value, SparseRows):
        return value.dense()
    if not isinstance(value, np.ndarray):
        raise ValueError(f"{path} is not a pickle of an array (it holds a {_kind(value)}); {REMEDY}")
    return value


def read_value(path: Path) -> object:
    """Return what is pickled in `path`: a plain value, a numpy array of numbers, a sparse matrix, or a dict of those.

    A pickle names the functions it wants called. Only the names that rebuild a numpy array or number (as numpy 1 and 2
    spell them), a scipy matrix of sparse rows, a dict that keeps its order or whose missing entries are empty lists, a
    set, and the bytes of Python 3's protocol 2 are answered, each by a stand-in of this module, so that not even
    numpy's own reconstruction sees unchecked input. Strings that Python 2 wrote come back as bytes.

    Args:
        path: the file.

    Raises:
        ValueError: the file asks for anything else (the error names it), or is truncated or damaged.
        OSError: the file cannot be read.
    """
    return _read(path, io.BytesIO(path.read_bytes()))


def read_compressed(path: Path) -> object:
    """Return what is pickled in a file that bzip2 compressed, as `read_value` does; ValueErrors and OSErrors alike."""
    with bz2.open(path) as stream:
        try:
            return _read(path, io.BufferedReader(stream))
        except OSError as error:
            raise ValueError(f"{path} is damaged or was not compressed by bzip2 ({error}); {REMEDY}") from None


def _read(path: Path, stream: IO[bytes]) -> object:
    try:
        value = _finished(_Unpickler(stream, encoding="bytes").load())
        return {name: _finished(field) for name, field in value.items()} if isinstance(value, dict) else value
    except _REJECTED as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{path} is not a pickle of plain values and arrays ({reason}); {REMEDY}") from error


_REJECTED = (
    pickle.UnpicklingError,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    MemoryError,
    RecursionError,
)
"""What a truncated or altered pickle makes the unpickler raise."""


class _Unpickler(pickle.Unpickler):
    """An unpickler that answers to the admitted names only."""

    def find_class(self, module: str, name: str) -> object:
        """Return the stand-in for an admitted name."""
        if (module, name) not in _ADMITTED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is refused")
        return _ADMITTED[module, name]


class _Admitted:
    """A function that a pickle may call; a pickle that tries to set attributes on it is refused."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def __call__(self, *values: object) -> object:
        """Return what the function makes of the `values` found in the pickle."""
        return self._call(*values)

    def __setstate__(self, state: object) -> None:
        raise pickle.UnpicklingError("it sets attributes of a function")


class _NumberType:
    """The type of an array's numbers, as the pickle describes it."""

    __slots__ = ("code", "order")

    def __init__(self, code: str) -> None:
        self.code = code
        self.order = "|"

    def __setstate__(self, state: object) -> None:
        """Take the byte order; the rest of a numpy type's state says nothing about plain numbers."""
        order = _text(state[1]) if isinstance(state, tuple) and len(state) >= 2 else ""
        if order not in ("<", ">", "|", "="):
            raise pickle.UnpicklingError("it describes numbers in an unknown byte order")
        self.order = order


class _PendingArray:
    """An array whose state has not been read yet."""

    __slots__ = ("array",)

    def __init__(self) -> None:
        self.array: NDArray[Any] | None = None

    def __setstate__(self, state: object) -> None:
        """Build the array from `(version, shape, type, column_major, bytes)`; the bytes must be as many as claimed."""
        if not isinstance(state, tuple) or len(state) != 5 or not isinstance(state[2], _NumberType):
            raise pickle.UnpicklingError("it describes an array in an unknown way")
        _, shape, kind, column_major, content = state
        if not isinstance(content, bytes):
            raise pickle.UnpicklingError("it holds an array without bytes")
        flat = np.frombuffer(content, dtype=np.dtype(kind.order + kind.code))
        self.array = flat.reshape(shape, order="F" if column_major else "C").copy()


class _PendingSparse:
    """A matrix of sparse rows whose state has not been read yet."""

    __slots__ = ("parts",)

    parts: dict[str, object]

    def __new__(cls) -> _PendingSparse:
        """Make the place; a pickle makes objects of a class without `__init__`."""
        place = super().__new__(cls)
        place.parts = {}
        return place

    def __setstate__(self, state: object) -> None:
        """Take the shape and the arrays; what else the state says follows from them."""
        if not isinstance(state, dict):
            raise pickle.UnpicklingError("it describes a sparse matrix in an unknown way")
        self.parts = {_text(name).removeprefix("_"): part for name, part in state.items()}

    def finished(self) -> SparseRows:
        """Return the matrix."""
        shape = self.parts.get("shape")
        if not isinstance(shape, tuple) or len(shape) != 2 or not all(type(side) is int for side in shape):
            raise pickle.UnpicklingError("it holds a sparse matrix without a shape")
        arrays = [_finished(self.parts.get(name)) for name in ("indptr", "indices", "data")]
        indptr, indices, data = [array for array in arrays if isinstance(array, np.ndarray)]
        return SparseRows(shape, indptr, indices, data)


def _array_class(*values: object) -> object:
    """Refuse to make an array from a shape alone, which could claim any amount of memory."""
    raise pickle.UnpicklingError("it makes an array of a claimed size")


def _pending_array(kind: object, shape: object, code: object) -> object:
    """Return the place of an array whose state follows."""
    if kind is not _ARRAY_CLASS:
        raise pickle.UnpicklingError("it makes an array of an unusual kind")
    return _PendingArray()


def _number_type(code: object, align: object = False, copy: object = True) -> object:
    """Return the description of the plain numbers that `code` names."""
    name = _text(code).lstrip("|<>=")
    if name not in NUMBER_CODES:
        raise pickle.UnpicklingError(f"it holds an array of {name!r}, not of plain numbers")
    return _NumberType(name)


def _number(kind: object, content: object) -> object:
    """Return a single number of numpy as Python's own."""
    if not isinstance(kind, _NumberType) or not isinstance(content, bytes):
        raise pickle.UnpicklingError("it describes a number in an unknown way")
    (value,) = np.frombuffer(content, dtype=np.dtype(kind.order + kind.code)).tolist()
    return value


def _ordered_dict(entries: Iterable[tuple[object, object]] = ()) -> object:
    """Return a dict; since Python 3.7 all keep their order."""
    return dict(entries)


def _set(entries: Iterable[object] = ()) -> object:
    """Return the set of what is in a list."""
    return set(entries)


def _list_class(*values: object) -> object:
    """Refuse to make a list; the class is only named."""
    raise pickle.UnpicklingError("it makes a list by a call")


def _dict_of_lists(factory: object) -> object:
    """Return the dict whose missing entries would be empty lists; nobody asks for those here."""
    if factory is not _LIST_CLASS:
        raise pickle.UnpicklingError("it makes a dict with entries of an unusual kind")
    return {}


def _bytes_from_text(text: object, encoding: object) -> object:
    """Return the bytes that Python 3 writes as text in protocol 2."""
    if not isinstance(text, str) or _text(encoding) != "latin1":
        raise pickle.UnpicklingError(f"it encodes text as {encoding!r}")
    return text.encode("latin-1")


def _text(value: object) -> str:
    """Return text that Python 2 wrote as bytes and Python 3 as a string."""
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _kind(value: object) -> str:
    return type(value).__name__


def _finished(field: object) -> object:
    """Return the array or matrix in its place, any other value as it is."""
    if isinstance(field, _PendingSparse):
        return field.finished()
    if not isinstance(field, _PendingArray):
        return field
    if field.array is None:
        raise pickle.UnpicklingError("it holds an array without a state")
    return field.array


_ARRAY_CLASS = _Admitted(_array_class)
_LIST_CLASS = _Admitted(_list_class)
_ADMITTED: dict[tuple[str, str], object] = {
    ("numpy", "ndarray"): _ARRAY_CLASS,
    ("numpy", "dtype"): _Admitted(_number_type),
    ("numpy.core.multiarray", "_reconstruct"): _Admitted(_pending_array),
    ("numpy._core.multiarray", "_reconstruct"): _Admitted(_pending_array),
    ("scipy.sparse.csr", "csr_matrix"): _PendingSparse,
    ("scipy.sparse._csr", "csr_matrix"): _PendingSparse,
    ("numpy.core.multiarray", "scalar"): _Admitted(_number),
    ("numpy._core.multiarray", "scalar"): _Admitted(_number),
    ("collections", "OrderedDict"): _Admitted(_ordered_dict),
    ("collections", "defaultdict"): _Admitted(_dict_of_lists),
    ("__builtin__", "set"): _Admitted(_set),
    ("builtins", "set"): _Admitted(_set),
    ("__builtin__", "list"): _LIST_CLASS,
    ("builtins", "list"): _LIST_CLASS,
    ("_codecs", "encode"): _Admitted(_bytes_from_text),
}
