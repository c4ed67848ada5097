"""The exercises of Phase 4."""
