"""The gallery: published training faults planted on small hosts, and healthy setups beside them (`recipe selftest`)."""
