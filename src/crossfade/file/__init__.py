"""The user's file: its model, how it is read, and where one can come from."""
