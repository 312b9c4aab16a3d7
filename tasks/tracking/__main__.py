"""Upload to MLflow what waits in the outbox: `python -m tasks.tracking [--status]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tasks.tracking import entries, outbox
from tasks.tracking.settings import read_settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Upload, or with --status only list, the waiting records; returns 0 where none waits afterwards, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tasks.tracking", description=__doc__)
    parser.add_argument("--status", action="store_true", help="only say what waits and what was sent")
    parser.add_argument("--root", type=Path, default=Path(), help="the checkout (default: the working directory)")
    options = parser.parse_args(arguments)
    try:
        settings = read_settings(options.root)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    if options.status:
        return _print_status(options.root, settings.absolute_uri(options.root))
    result = outbox.drain(options.root, settings)
    for name in result.sent:
        print(f"uploaded {name}")
    if not result.sent and not result.num_waiting:
        print("nothing waits to be uploaded")
    return 1 if result.num_waiting else 0


def _print_status(root: Path, uri: str) -> int:
    """Print one line a record."""
    waiting = entries.waiting_paths(root)
    for path in waiting:
        try:
            print(f"waiting {entries.read_entry(path).record.name}")
        except ValueError as error:
            print(f"damaged {path.name} ({error}); an upload sets it aside")
    print(f"{len(waiting)} waiting, {len(entries.receipts(root))} sent, store {uri}")
    return 1 if waiting else 0


if __name__ == "__main__":
    sys.exit(main())
