"""What the edge does with a message and with an answer."""
