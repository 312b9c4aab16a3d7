"""Tables of trained graph networks."""
