"""Prefect flows over the stages of dvc.yaml, their deployment and their schedule."""
