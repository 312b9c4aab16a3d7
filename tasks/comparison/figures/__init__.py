"""The figures of a comparison, in the report's look."""
