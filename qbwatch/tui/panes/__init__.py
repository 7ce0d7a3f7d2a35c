"""The seven screens, one module each."""
