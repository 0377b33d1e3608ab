"""What the data is and where it rests: words, vessels and the doors of the service."""
