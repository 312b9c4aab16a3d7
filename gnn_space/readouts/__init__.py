"""The readouts that make one vector of the nodes of each graph, one file a readout."""
