"""The exercises of Phase 1."""
