"""Decide everything about a store before its first byte is written: pure functions from a schema to a plan."""
