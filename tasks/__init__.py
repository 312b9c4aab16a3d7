"""The work of each pipeline stage, and what connects it to params.yaml, DVC, MLflow and Prefect."""
