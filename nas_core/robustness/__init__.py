"""How a trained network holds up: corruptions, out-of-distribution detection, calibration, intervals."""
