"""The exercises of Phase 3."""
