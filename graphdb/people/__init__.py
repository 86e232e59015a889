"""Who is who, and who is erased."""
