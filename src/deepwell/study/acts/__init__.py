"""What a person may do to a study while it trains: one act a file."""
