"""A small shop of books with the forty dependencies that such a project comes to have: measured, and never shown."""
