"""Never run: these cases are checked only."""
