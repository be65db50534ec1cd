"""The workflows, run by act on this machine against loopback servers and a bare repository."""
