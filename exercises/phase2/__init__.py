"""The exercises of Phase 2."""
