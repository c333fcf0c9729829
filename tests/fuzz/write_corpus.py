"""Writes the foreign vectors as seeds for libFuzzer: `python -m tests.fuzz.write_corpus DIR`."""

import sys
from pathlib import Path

from tests.fuzz.codec_twin import corpus


def main() -> None:
    """One file for each vector."""
    directory = Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    for number, (_, data) in enumerate(corpus()):
        (directory / f"vector-{number:03}").write_bytes(data)


if __name__ == "__main__":
    main()
