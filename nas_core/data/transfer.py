"""One HTTP request that goes on where an earlier one stopped."""

from __future__ import annotations

import email.message
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

CHUNK_BYTES = 1 << 18


@dataclass(frozen=True)
class Interruption:
    """Why a request ended before the file was complete, and whether another one would end the same way."""

    reason: str
    is_final: bool


def receive(
    url: str, stream: BinaryIO, report: Callable[[int, int | None], None], timeout_seconds: float
) -> Interruption | None:
    """Append to `stream` what is missing of the file at `url`.

    Asks for the bytes after those in `stream` (RFC 9110, Range). A server that ignores that sends the whole file, and
    `stream` is then written from its beginning.

    Args:
        url: an http or https address.
        stream: open for appending; what it holds is taken for the beginning of the file.
        report: called with the bytes received so far and the bytes in all (None when unknown), after every chunk.
        timeout_seconds: how long the server may be silent.

    Returns:
        None when the server has nothing more to send, else why it ended early; what has arrived is in `stream`.

    Raises:
        OSError: `stream` could not be written.
    """
    num_kept = stream.seek(0, os.SEEK_END)
    request = urllib.request.Request(url, headers={"Range": f"bytes={num_kept}-"} if num_kept else {})
    try:
        response = urllib.request.urlopen(request, timeout=timeout_seconds)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and num_kept:
                return _without_rest(error.headers, num_kept, stream)
            may_pass = error.code >= 500 or error.code == http.HTTPStatus.TOO_MANY_REQUESTS
            return Interruption(f"HTTP {error.code} {error.reason}", is_final=not may_pass)
    except (OSError, http.client.HTTPException) as error:
        return _broken(error)
    with response:
        start = _first_byte(response.headers) if response.status == http.HTTPStatus.PARTIAL_CONTENT else 0
        if start != num_kept:
            stream.truncate(0)
            if start != 0:
                return Interruption("the server sent another range than it was asked for", is_final=False)
        return _append(response, start, stream, report)


def _append(
    response: http.client.HTTPResponse, start: int, stream: BinaryIO, report: Callable[[int, int | None], None]
) -> Interruption | None:
    """Append the body of `response`, which begins at byte `start` of the file."""
    length = response.headers.get("Content-Length", "")
    num_total = start + int(length) if length.isdigit() else None
    num_received = start
    while True:
        try:
            chunk = response.read(CHUNK_BYTES)
        except (OSError, http.client.HTTPException) as error:
            stream.flush()
            return _broken(error)
        if not chunk:
            break
        stream.write(chunk)
        num_received += len(chunk)
        report(num_received, num_total)
    stream.flush()
    os.fsync(stream.fileno())
    if num_total is not None and num_received < num_total:
        return Interruption(f"the transfer stopped at {num_received} of {num_total} bytes", is_final=False)
    return None


def _without_rest(headers: email.message.Message, num_kept: int, stream: BinaryIO) -> Interruption | None:
    """Return None if the server says that the bytes kept are the whole file; else drop them."""
    if headers.get("Content-Range", "") == f"bytes */{num_kept}":
        return None
    stream.truncate(0)
    return Interruption("the partial file does not fit the server's", is_final=False)


def _first_byte(headers: email.message.Message) -> int | None:
    """Return where the body begins, from a header such as `Content-Range: bytes 100-199/200`."""
    unit, _, rest = headers.get("Content-Range", "").partition(" ")
    first = rest.partition("-")[0]
    return int(first) if unit == "bytes" and first.isdigit() else None


def _broken(error: Exception) -> Interruption:
    """Return the interruption that a network error is."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return Interruption(" ".join(str(reason).split()) or type(error).__name__, is_final=False)
