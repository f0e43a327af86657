"""What statements put into containers: registries, tables, and their order."""
