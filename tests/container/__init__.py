"""The image as people run it: built, started, attacked and stopped by a real Docker engine."""
