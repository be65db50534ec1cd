"""Entries of the catalog: their models, the STAC index over them, and how readers find and open a store."""
