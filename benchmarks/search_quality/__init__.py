"""B5: how good points are that samplers propose, on functions whose best is known."""
