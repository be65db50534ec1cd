"""Virtual stores: references to chunks of the inputs, in place of the chunks."""

from bakehouse.writers.references.table import Piece, Table, tabulate
from bakehouse.writers.references.view import ReferenceView, TableView, references_at

__all__ = ["Piece", "ReferenceView", "Table", "TableView", "references_at", "tabulate"]
