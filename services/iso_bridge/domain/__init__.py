"""Pure decisions of the edge: form, days, repeats, patience."""
