"""Pure decisions: what there is and what is wanted go in, the next actions come out."""
