"""Database clients inside a fence, behind the Python Database API (PEP 249): a file for each client's face, and what all of them share."""
