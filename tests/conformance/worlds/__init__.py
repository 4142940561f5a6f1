"""One file a platform: the world that its adapter runs the conformance suite in."""
