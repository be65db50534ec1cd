"""From planned regions to objects, metadata documents and receipts."""
