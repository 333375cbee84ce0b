"""What may be given up for validation accuracy, a row of the recipe a function; `proposed.py` puts them together."""
