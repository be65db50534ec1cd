"""Public feedstocks, unmodified: what pangeo-forge-recipes makes of them, and what Bakehouse does."""
