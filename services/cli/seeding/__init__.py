"""Demo data: what it is (pure) and how it reaches the services' tables."""
