"""Neural architecture search: contracts, one search loop, and the plug-ins that run in it."""
