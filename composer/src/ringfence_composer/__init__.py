"""The build tool of Ringfence: graph.yaml in, checked and built components and a lock out."""
