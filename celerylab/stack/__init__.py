"""Broker, workers and web servers as processes that never outlive their owner."""
