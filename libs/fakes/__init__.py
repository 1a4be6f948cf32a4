"""Memory stores, fixed clocks and builders; imported by tests only."""
