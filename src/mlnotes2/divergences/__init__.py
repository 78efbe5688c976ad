"""TOPIC."""
