"""What is dangerous in the file or in a plan, and how to mend it."""
