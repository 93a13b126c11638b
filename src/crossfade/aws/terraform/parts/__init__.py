"""An environment, area by area: each part yields the blocks of what the file asks for."""
