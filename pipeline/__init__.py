"""What the data is and where it rests: words, vessels and the doors of the service."""

#: Version of the program, as `--version` tells it.
VERSION = "0.1.0"
