"""Weight sharing: gates, the supernet contract, and the training of shared weights."""
