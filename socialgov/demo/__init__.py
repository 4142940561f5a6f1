"""The demonstration: an invented school in every state, beside a simulated network (`make demo`)."""
