"""Tables of benchmarks: columns by name, in one compact file that is mapped into memory and checked when it is opened.

A file is safetensors: a length, a JSON header, and the numbers, so that reading it runs no code. Its metadata say what
the table is, and the SHA-256 of the whole file, in which 64 zeros stand in the place of that SHA-256.
"""

from __future__ import annotations

import hashlib
import json
import mmap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_core.atomic_files import write_bytes

FORMAT = 1
FIELD = "benchmark_table"
NO_DIGEST = "0" * 64
REMEDY = "import the table again"
TYPES: Mapping[str, str] = MappingProxyType(
    {"U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4", "U64": "<u8", "F32": "<f4"}
)
"""Types of columns, as safetensors and as numpy name them."""


@dataclass(frozen=True)
class BenchmarkTable:
    """What a benchmark measured, column by column.

    Attributes:
        benchmark: the benchmark's name.
        columns: arrays by name, of the types in `TYPES`, with a row each for what was measured; not to be changed.
        source: where the measurements come from.
        license: under which they are published.
        version: of the benchmark's distribution.
    """

    benchmark: str
    columns: Mapping[str, NDArray[Any]]
    source: str = ""
    license: str = ""
    version: str = ""

    def __post_init__(self) -> None:
        for name, column in self.columns.items():
            if column.dtype.newbyteorder("<").str.lstrip("|") not in TYPES.values() or not column.size:
                raise ValueError(
                    f"column {name!r} is {column.dtype} {column.shape}; a column has entries of a type out of "
                    f"{', '.join(TYPES)}"
                )

    def selected(self, names: Sequence[str], path: Path) -> list[NDArray[Any]]:
        """Return columns by name.

        Args:
            names: of the columns.
            path: the table's file, for the message.

        Raises:
            ValueError: the table lacks some of them.
        """
        missing = [name for name in names if name not in self.columns]
        if missing:
            raise ValueError(f"{path} lacks the columns {', '.join(missing)}; it has {', '.join(self.columns)}")
        return [self.columns[name] for name in names]


def write(path: Path, table: BenchmarkTable) -> None:
    """Write a table to a file atomically; equal tables give equal bytes.

    Raises:
        OSError: the file system refused; an old file is intact.
    """
    from safetensors.numpy import save

    description = {
        "format": FORMAT,
        "benchmark": table.benchmark,
        "version": table.version,
        "source": table.source,
        "license": table.license,
        "sha256": NO_DIGEST,
    }
    columns = {name: np.ascontiguousarray(column) for name, column in table.columns.items()}
    content = save(columns, metadata={FIELD: json.dumps(description, sort_keys=True)})
    end = 8 + int.from_bytes(content[:8], "little")
    digest = hashlib.sha256(content).hexdigest()
    write_bytes(path, content[:end].replace(NO_DIGEST.encode(), digest.encode(), 1) + content[end:])


def is_table(path: Path) -> bool:
    """Return whether a file begins as those of `write`; what is absent or a folder does not."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        start = stream.read(9)
    return start[8:] == b"{" and start[4:8] == bytes(4)


def read(path: Path, benchmark: str) -> BenchmarkTable:
    """Return the table of a benchmark that `write` put into a file; its columns are read as they are used.

    The SHA-256 is verified by reading the file once through, without keeping it.

    Args:
        path: the file.
        benchmark: which one must be in it.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is truncated or altered, or of another format or benchmark; one line.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise FileNotFoundError(f"there is no {path}; give the path of a table of {benchmark}")
    try:
        with safe_open(path, framework="numpy"):
            pass  # its header fits its length
        with path.open("rb") as stream:
            header = stream.read(8)
            header += stream.read(int.from_bytes(header, "little"))
            entries = json.loads(header[8:])
            description = json.loads(entries.pop("__metadata__")[FIELD])
            stated = description["sha256"]
            blank = header.replace(stated.encode(), NO_DIGEST.encode(), 1)
            digest = hashlib.file_digest(stream, lambda: hashlib.sha256(blank)).hexdigest()
            if digest != stated:
                raise ValueError("its content does not have the SHA-256 it states")
            columns = _columns(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ), len(header), entries)
    except (SafetensorError, ValueError, LookupError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path} is damaged or no table of a benchmark ({reason}); {REMEDY}") from None
    if description.get("format") != FORMAT:
        raise ValueError(f"{path} has table format {description.get('format')}, this version reads {FORMAT}; {REMEDY}")
    found = BenchmarkTable(
        *(str(description.get("benchmark")), MappingProxyType(columns)),
        *(str(description.get(name, "")) for name in ("source", "license", "version")),
    )
    if found.benchmark != benchmark:
        raise ValueError(f"{path} is a table of {found.benchmark!r}, not of {benchmark!r}; give one of that")
    return found


def _columns(mapped: mmap.mmap, start: int, entries: Mapping[str, Mapping[str, Any]]) -> dict[str, NDArray[Any]]:
    """Return arrays that lie in the mapped file, which cannot be written to."""
    found = {}
    for name, entry in sorted(entries.items()):
        shape = tuple(entry["shape"])
        place = start + entry["data_offsets"][0]
        flat = np.frombuffer(mapped, np.dtype(TYPES[entry["dtype"]]), int(np.prod(shape)), place)
        found[name] = flat.reshape(shape)
    return found
