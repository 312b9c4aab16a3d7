"""Logging of finished stages to MLflow: a record goes to an outbox on disk first and is uploaded exactly once."""
