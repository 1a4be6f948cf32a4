"""What fits the ports of admin beside its store."""
