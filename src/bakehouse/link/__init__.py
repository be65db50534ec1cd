"""Stores that were made elsewhere: opened, probed, registered, and opened again later."""
