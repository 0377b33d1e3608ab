"""What moves the data on: one verb of the flow in each module."""
