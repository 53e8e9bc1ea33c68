"""The handlers of the operations, by resource."""
