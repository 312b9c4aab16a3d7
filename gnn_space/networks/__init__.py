"""Graph networks and their supernet, from one builder."""
