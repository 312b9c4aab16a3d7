"""Read the pickles CIFAR is published in without letting them run code."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

REMEDY = "delete it and fetch it from its publisher again"
NUMBER_CODES = frozenset({"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8"})


def read(path: Path) -> dict[bytes, object]:
    """Return the dict pickled in `path`, whose values are plain values, lists of them, or numpy arrays of numbers.

    A pickle names the functions it wants called. Only the names that rebuild a numpy array (as numpy 1 and 2 spell
    them) and the bytes of Python 3's protocol 2 are answered, each by a stand-in of this module, so that not even
    numpy's own reconstruction sees unchecked input. Strings that Python 2 wrote come back as bytes.

    Args:
        path: the file.

    Returns:
        The dict, by field name.

    Raises:
        ValueError: the file asks for anything else (the error names it), or is truncated or damaged.
        OSError: the file cannot be read.
    """
    content = path.read_bytes()
    try:
        value = _Unpickler(io.BytesIO(content), encoding="bytes").load()
        if not isinstance(value, dict):
            raise pickle.UnpicklingError(f"it holds a {type(value).__name__}, not a dict")
        return {name: _finished(field) for name, field in value.items()}
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


def _bytes_from_text(text: object, encoding: object) -> object:
    """Return the bytes that Python 3 writes as text in protocol 2."""
    if not isinstance(text, str) or _text(encoding) != "latin1":
        raise pickle.UnpicklingError(f"it encodes text as {encoding!r}")
    return text.encode("latin-1")


def _text(value: object) -> str:
    """Return text that Python 2 wrote as bytes and Python 3 as a string."""
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _finished(field: object) -> object:
    """Return the array in its place, any other value as it is."""
    if not isinstance(field, _PendingArray):
        return field
    if field.array is None:
        raise pickle.UnpicklingError("it holds an array without a state")
    return field.array


_ARRAY_CLASS = _Admitted(_array_class)
_ADMITTED = {
    ("numpy", "ndarray"): _ARRAY_CLASS,
    ("numpy", "dtype"): _Admitted(_number_type),
    ("numpy.core.multiarray", "_reconstruct"): _Admitted(_pending_array),
    ("numpy._core.multiarray", "_reconstruct"): _Admitted(_pending_array),
    ("_codecs", "encode"): _Admitted(_bytes_from_text),
}
