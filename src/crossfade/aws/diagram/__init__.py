"""An environment as a picture."""
