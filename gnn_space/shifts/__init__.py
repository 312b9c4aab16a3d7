"""The distribution shifts of graphs: structural noise, one file a shift."""
