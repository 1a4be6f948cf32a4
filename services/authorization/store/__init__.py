"""Every SQL string of authorization."""
