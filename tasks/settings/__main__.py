"""Checks params.yaml: ``python -m tasks.settings``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tasks.settings.errors import SettingsError
from tasks.settings.load import DEFAULT_PATH, load


def main() -> int:
    """Check a file; print one line and return 0 if it is right, 2 if not."""
    parser = argparse.ArgumentParser(description="Check params.yaml before anything runs.")
    parser.add_argument("path", nargs="?", type=Path, default=DEFAULT_PATH)
    path = parser.parse_args().path
    try:
        settings = load(path)
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    searches = ", ".join(settings.search.strategies)
    print(f"{path} is right: {settings.search.space.name} searched by {searches}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
