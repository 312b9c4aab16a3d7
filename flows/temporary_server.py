"""A Prefect server for the length of one run, where PREFECT_API_URL names no other.

It takes the place of Prefect's own ephemeral server: it starts in the background while the caller imports what it
needs, listens on a socket that the caller has bound (so no other process can take the port), and ends with the caller
even where that is killed. Its database stays in PREFECT_HOME, so that `prefect server start` shows past runs.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType

from tasks.supervised_process import GRACE_SECONDS, supervised_command

ANSWER_SECONDS = 5.0  # a server that is well answers at once
# Nothing a single run needs: blocks of integrations, events kept for later, automations.
SERVER_SETTINGS = {
    "PREFECT_API_BLOCKS_REGISTER_ON_START": "false",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",
    "PREFECT_SERVER_UI_ENABLED": "false",
}


class TemporaryServer:
    """A Prefect server in a process of its own; a context manager that starts it on entry and ends it on exit."""

    def __init__(self, home: Path, start_timeout_seconds: float) -> None:
        self._home = home
        self._start_timeout_seconds = start_timeout_seconds
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.api_url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/api"

    def __enter__(self) -> TemporaryServer:
        """Starts the server; it does not answer yet, see `wait_until_ready`."""
        self._home.mkdir(parents=True, exist_ok=True)
        self._log = (self._home / "server.log").open("wb")
        descriptor = self._socket.fileno()
        self._process = subprocess.Popen(
            supervised_command([sys.executable, "-m", "flows.temporary_server", str(descriptor)]),
            cwd=Path(__file__).parents[1],
            env={**os.environ, **SERVER_SETTINGS},
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            pass_fds=(descriptor,),
            start_new_session=True,  # a Ctrl-C at the terminal must not end it before the run's last states are stored
        )
        self._socket.close()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Ends the server and every process of it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(2 * GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def wait_until_ready(self) -> None:
        """Returns as soon as the server answers.

        Raises:
            RuntimeError: If it ended or did not answer in time; one line that names its log.
        """
        deadline = time.monotonic() + self._start_timeout_seconds
        while time.monotonic() < deadline and self._process.poll() is None:
            if is_healthy(self.api_url, timeout_seconds=deadline - time.monotonic()):
                return
            time.sleep(0.05)
        raise RuntimeError(
            f"Prefect's temporary server did not start; {self._home / 'server.log'} says why. If its database is"
            f" damaged, rename {self._home / 'prefect.db'}: it holds no results"
        )


def is_healthy(api_url: str, timeout_seconds: float) -> bool:
    """Tells whether a Prefect server answers at this URL ("http://127.0.0.1:4200/api")."""
    try:
        with urllib.request.urlopen(f"{api_url}/health", timeout=timeout_seconds) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError):
        return False


def serve_on(descriptor: int) -> None:
    """Runs the server on a listening socket that was handed down; returns when it is asked to end."""
    import uvicorn
    from prefect.server.api.server import create_app

    listening = socket.socket(fileno=descriptor)
    application = create_app(ephemeral=True, final=True)
    uvicorn.Server(uvicorn.Config(application, log_level="warning", lifespan="on")).run(sockets=[listening])


if __name__ == "__main__":
    serve_on(int(sys.argv[1]))
