"""Attacks on the running logger, and the comparison of what is on disk afterwards with what the simulated pump sent."""
