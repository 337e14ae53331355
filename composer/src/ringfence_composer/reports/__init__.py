"""What people and programs see: records in, text for a terminal or JSON data out."""
