"""What tests share: servers, storage, stubs, strategies."""
