"""Programs that print measured figures of the project; README.md beside this file explains each."""
