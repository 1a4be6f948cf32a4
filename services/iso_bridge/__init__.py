"""The edge that speaks ISO 8583 to terminals: form in, committed answers out."""
