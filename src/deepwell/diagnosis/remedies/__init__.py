"""The remedies by kind of error."""
