"""Controllers: policies that draw architectures and are moved by the policy gradient."""
