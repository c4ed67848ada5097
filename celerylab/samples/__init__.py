"""What lessons work on: sample data, made here, so that no lesson needs the network."""
