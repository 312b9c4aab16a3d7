"""Downloads against a server of this machine that breaks off, ignores ranges, and lies."""

from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

import pytest

from nas_core.data.download import Patience, PublishedFile, fetch

CONTENT = bytes(range(256)) * 4000
QUICK = Patience(num_attempts=2, pause_seconds=0.0, timeout_seconds=5.0)


@dataclass
class Behavior:
    """What the server does, and what it was asked for."""

    content: bytes = CONTENT
    status: int = 200
    knows_ranges: bool = True
    states_length: bool = True
    break_after: list[int] = field(default_factory=list)
    ranges: list[str | None] = field(default_factory=list)


class Server(http.server.ThreadingHTTPServer):
    """A server on a free port of this machine that behaves as it is told."""

    def __init__(self, behavior: Behavior) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behavior = behavior


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers GET as the server's `behavior` says."""

    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        behavior = self.server.behavior
        asked = self.headers.get("Range")
        behavior.ranges.append(asked)
        if behavior.status != 200:
            self.send_error(behavior.status)
            return
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and behavior.knows_ranges else 0
        num_bytes = len(behavior.content)
        if start >= num_bytes:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{num_bytes}")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{num_bytes - 1}/{num_bytes}")
        if behavior.states_length:
            self.send_header("Content-Length", str(num_bytes - start))
        self.end_headers()
        end = behavior.break_after.pop(0) if behavior.break_after else num_bytes
        self.wfile.write(behavior.content[start:end])

    def log_message(self, format: str, *values: object) -> None:
        """Keep quiet."""


@pytest.fixture
def behavior() -> Behavior:
    return Behavior()


@pytest.fixture
def published(behavior: Behavior, monkeypatch: pytest.MonkeyPatch) -> Iterator[PublishedFile]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = Server(behavior)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield PublishedFile(
        f"http://127.0.0.1:{server.server_address[1]}/sets/set.tar.gz", hashlib.md5(CONTENT).hexdigest()
    )
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_file_arrives_with_progress_and_leaves_nothing_else(published: PublishedFile, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []
    path = fetch(published, tmp_path / "new", progress=lambda *values: seen.append(values), patience=QUICK)
    assert path == tmp_path / "new" / "set.tar.gz"
    assert path.read_bytes() == CONTENT
    assert [entry.name for entry in path.parent.iterdir()] == ["set.tar.gz"]
    assert seen[-1] == ("set.tar.gz", len(CONTENT), len(CONTENT))
    assert [received for _, received, _ in seen] == sorted(received for _, received, _ in seen)


def test_a_file_that_is_there_is_not_asked_for(published: PublishedFile, behavior: Behavior, tmp_path: Path) -> None:
    (tmp_path / "set.tar.gz").write_bytes(b"anything")
    assert fetch(published, tmp_path).read_bytes() == b"anything"
    assert behavior.ranges == []


def test_an_interrupted_transfer_goes_on_where_it_stopped(
    published: PublishedFile, behavior: Behavior, tmp_path: Path
) -> None:
    behavior.break_after = [300_000, 700_000]
    seen: list[int] = []
    path = fetch(published, tmp_path, progress=lambda _, received, __: seen.append(received), patience=QUICK)
    assert path.read_bytes() == CONTENT
    assert behavior.ranges == [None, "bytes=300000-", "bytes=700000-"]
    assert seen == sorted(seen)


def test_a_later_run_goes_on_where_an_earlier_one_gave_up(
    published: PublishedFile, behavior: Behavior, tmp_path: Path
) -> None:
    behavior.break_after = [300_000, 300_000, 300_000]
    with pytest.raises(ConnectionError, match="300000 bytes are kept") as caught:
        fetch(published, tmp_path, patience=QUICK)
    assert published.url in str(caught.value)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)
    behavior.ranges.clear()
    assert fetch(published, tmp_path, patience=QUICK).read_bytes() == CONTENT
    assert behavior.ranges == ["bytes=300000-"]


def test_a_server_without_ranges_sends_the_file_from_its_beginning(
    published: PublishedFile, behavior: Behavior, tmp_path: Path
) -> None:
    behavior.knows_ranges = False
    behavior.break_after = [300_000]
    assert fetch(published, tmp_path, patience=QUICK).read_bytes() == CONTENT
    assert behavior.ranges == [None, "bytes=300000-"]


def test_a_partial_file_that_is_complete_is_taken(published: PublishedFile, behavior: Behavior, tmp_path: Path) -> None:
    (tmp_path / "set.tar.gz.part").write_bytes(CONTENT)
    assert fetch(published, tmp_path, patience=QUICK).read_bytes() == CONTENT
    assert len(behavior.ranges) == 1


@pytest.mark.parametrize(
    "stale", [b"x" * 5000, CONTENT + b"x", b"x" * len(CONTENT)], ids=["start", "longer", "same size"]
)
def test_a_partial_file_of_something_else_is_replaced(published: PublishedFile, tmp_path: Path, stale: bytes) -> None:
    (tmp_path / "set.tar.gz.part").write_bytes(stale)
    assert fetch(published, tmp_path, patience=QUICK).read_bytes() == CONTENT


def test_a_wrong_checksum_keeps_the_file_apart(published: PublishedFile, behavior: Behavior, tmp_path: Path) -> None:
    behavior.content = CONTENT + b"!"
    with pytest.raises(ValueError, match="published is") as caught:
        fetch(published, tmp_path, patience=QUICK)
    assert published.url in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [entry.name for entry in tmp_path.iterdir()] == ["set.tar.gz.damaged"]


def test_a_transfer_of_unstated_length_that_breaks_off_is_found_by_its_checksum(
    published: PublishedFile, behavior: Behavior, tmp_path: Path
) -> None:
    behavior.states_length = False
    behavior.break_after = [300_000]
    with pytest.raises(ValueError, match="published is"):
        fetch(published, tmp_path, patience=QUICK)


@pytest.mark.parametrize(("status", "num_requests"), [(404, 1), (403, 1), (503, 2), (429, 2)])
def test_a_refusal_is_tried_again_only_if_it_may_pass(
    published: PublishedFile, behavior: Behavior, tmp_path: Path, status: int, num_requests: int
) -> None:
    behavior.status = status
    with pytest.raises(ConnectionError, match=f"HTTP {status}") as caught:
        fetch(published, tmp_path, patience=QUICK)
    assert len(behavior.ranges) == num_requests
    assert published.url in str(caught.value)
    assert f"put it into {tmp_path}" in str(caught.value)


def test_without_a_network_the_error_says_where_to_put_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    nobody = PublishedFile("http://127.0.0.1:9/set.tar.gz", "0" * 32)
    with pytest.raises(ConnectionError, match=rf"http://127\.0\.0\.1:9/set\.tar\.gz .* put it into {tmp_path}"):
        fetch(nobody, tmp_path, patience=QUICK)


def test_with_downloading_off_nothing_is_asked_or_written(
    published: PublishedFile, behavior: Behavior, tmp_path: Path
) -> None:
    folder = tmp_path / "absent"
    with pytest.raises(FileNotFoundError, match=f"downloading is off.*{published.url}.*put it into {folder}"):
        fetch(published, folder, download=False)
    assert behavior.ranges == []
    assert not folder.exists()


def test_two_at_once_download_once(published: PublishedFile, behavior: Behavior, tmp_path: Path) -> None:
    with ThreadPool(4) as pool:
        paths = pool.map(lambda _: fetch(published, tmp_path, patience=QUICK), range(4))
    assert {path.read_bytes() for path in paths} == {CONTENT}
    assert behavior.ranges == [None]
    assert [entry.name for entry in tmp_path.iterdir()] == ["set.tar.gz"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_passes_through(published: PublishedFile, tmp_path: Path) -> None:
    (tmp_path / "set.tar.gz.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        fetch(published, tmp_path, patience=QUICK)


@pytest.mark.parametrize(
    ("url", "md5"), [("ftp://host/file", "0" * 32), ("http://host/file", "0" * 31), ("http://host/file", "A" * 32)]
)
def test_an_impossible_published_file_is_refused(url: str, md5: str) -> None:
    with pytest.raises(ValueError, match="give"):
        PublishedFile(url, md5)


@pytest.mark.parametrize("changes", [{"num_attempts": 0}, {"pause_seconds": -1.0}, {"timeout_seconds": 0.0}])
def test_impossible_patience_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="impossible"):
        Patience(**changes)


def test_a_file_without_a_published_checksum_is_taken_as_it_arrives(
    published: PublishedFile, behavior: Behavior, tmp_path: Path
) -> None:
    behavior.break_after = [len(CONTENT) // 2]
    path = fetch(PublishedFile(published.url, None), tmp_path, patience=QUICK)
    assert path.read_bytes() == CONTENT
    assert [entry.name for entry in tmp_path.iterdir()] == ["set.tar.gz"]
