"""One file a schema, oldest first; `deepwell.storage._migrate` runs those that a store lacks."""
