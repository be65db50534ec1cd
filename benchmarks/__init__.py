"""The same work done by Bakehouse and by its peers: ``make bench``."""
