"""From a source file to a Dataset whose arrays stay references until somebody needs their values."""
