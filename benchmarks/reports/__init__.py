"""A run as text, as a picture and as a page; each made of the run's record alone."""
