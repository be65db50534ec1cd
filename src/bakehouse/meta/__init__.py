"""Models, reading and lint of both meta.yaml files: the project's and a feedstock's."""
