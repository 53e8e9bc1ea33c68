"""Operations that need no storage."""
