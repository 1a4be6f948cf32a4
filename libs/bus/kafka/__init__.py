"""Kafka behind the port: the adapter, topics, and a broker of our own; only here is aiokafka."""
