"""The report's parts: result files are read, sections made of them, and one page made of the sections."""
