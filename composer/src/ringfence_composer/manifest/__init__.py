"""What people write (graph.yaml, component.yaml), read into frozen records with every problem found on the way."""
