"""What the host and the composer agree on: pure records and rules, no I/O beyond reading our own schemas."""
