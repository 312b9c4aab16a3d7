"""Plug-ins for comparisons without a published table."""
