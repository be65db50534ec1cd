"""Tests of Bakehouse, and what they stand on."""
