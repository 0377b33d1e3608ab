"""The mutation check: the product's code is broken on purpose, and a test must catch each break."""
