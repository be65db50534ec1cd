"""Servers and files that tests run against: loopback HTTP, two S3 endpoints, generated archives."""
