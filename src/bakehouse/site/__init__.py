"""The catalog's web pages and machine-readable files, made from its entries; complete without JavaScript."""
