"""What the data is and where it rests: words, vessels and the doors of the service."""

import os

#: Version of the program, as `--version` tells it.
VERSION = "0.1.0"

# Columns are added and compared, never multiplied as matrices: for that numpy's library would start a thread for each
# core, and take memory for it, when numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
