"""Where things lie.  SOTTO_DATA names the folder that holds data/; SOTTO_WORK keeps what is large and remade."""

import os
import pathlib

MODEL = pathlib.Path(__file__).resolve().parent.parent
WORK = pathlib.Path(os.environ.get("SOTTO_WORK", "/var/tmp/tagger"))
WEIGHTS = MODEL / "weights"


def data():
    """The folder with en/, de/ … or None when this machine has none."""
    root = os.environ.get("SOTTO_DATA")
    if not root:
        return None
    path = pathlib.Path(root) / "data"
    return path if path.is_dir() else None
